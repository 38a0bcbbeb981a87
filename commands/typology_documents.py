"""What only the book can tell of a document of typologies: whether it knows the currencies, and whether each
typology stands in no other document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.document import Problem
from schemas.documents.typologies import Typologies

_OFF = {"stage": "off"}


def check_typologies(book: Book, document: Typologies) -> Iterator[Problem]:
    """The currencies that are not known."""
    for name, one in document.sets():
        for field, amounts in one.amounts():
            for currency in amounts:
                if not knows_currency(book, currency):
                    yield Problem(f"{name}.{field}.{currency}", f"there is no currency {currency}")


def standing_once(book: Book, document_id: str, document: Typologies) -> Iterator[Problem]:
    """The typologies that another document has, in force or to come."""
    for key, shelf in book.documents.items():
        kind, _, other = key.partition("/")
        if kind != "typologies" or other == document_id:
            continue
        bodies: list[dict[str, Any]] = [shelf.body, *(one.body for one in shelf.pending.values())]
        for name, _ in document.sets():
            if any((body.get(name) or _OFF)["stage"] != "off" for body in bodies):
                yield Problem(name, f"stands in typologies/{other} already; take it out there or set it off")


CHECK: dict[str, Callable[[Book, Any], Iterator[Problem]]] = {"typologies": check_typologies}
FITS: dict[str, Callable[[Book, str, Any], Iterable[Problem]]] = {"typologies": standing_once}

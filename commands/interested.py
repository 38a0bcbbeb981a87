"""Who has too much to do with something to say yes to it, beside the maker of the command itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from book.waiting import Waiting
from commands.reach import asked_of
from commands.reviews import interested_in_release
from schemas.message import Command
from schemas.reviews import ReleasePayment

INTERESTED: dict[type[Command], Callable[[Book, Any], frozenset[str]]] = {
    ReleasePayment: interested_in_release,
}


def interested(book: Book, waiting: Waiting) -> frozenset[str]:
    """The persons who may not approve what waits, whatever roles they have."""
    asked = asked_of(waiting)
    find = INTERESTED.get(type(asked))
    return frozenset() if find is None else find(book, asked)

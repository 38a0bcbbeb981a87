"""What is decided about documents: whether a version is right, and when it takes effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import orjson

from book.state import Book
from commands import policy_documents
from commands.counterparts import check_counterpart
from commands.decision import Decide, Decision, knows_currency
from commands.interest_documents import interest_against_earlier, interest_checks
from schemas.documents.document import Problem
from schemas.documents.kinds import read
from schemas.documents.products import Product
from schemas.publishing import DocumentPublished, DocumentTookEffect, PublishDocument
from schemas.rejections import reject

MOST_PROBLEMS = 10
"""How many problems a rejection names; it says how many there are."""


def publish_document(book: Book, command: PublishDocument, at_ms: int) -> Decision:
    """Rejected, in this order: document_invalid, version_not_newer, effective_in_past."""
    document = read(command.kind, command.body)
    problems = document if isinstance(document, list) else list(CHECK[command.kind](book, document))
    if isinstance(document, Product):
        problems += interest_against_earlier(book, command.document, document)
    if problems or isinstance(document, list):
        return reject(
            "document_invalid",
            problems=len(problems),
            detail="; ".join(
                f"{one.path}: {one.what}".removeprefix(": ") for one in problems[:MOST_PROBLEMS]
            ),
        )
    shelf = book.documents.get(f"{command.kind}/{command.document}")
    if shelf is not None and command.version <= shelf.latest:
        return reject("version_not_newer", version=command.version, latest=shelf.latest)
    effective_from_ms = at_ms if command.effective_from_ms is None else command.effective_from_ms
    if effective_from_ms < at_ms:
        return reject("effective_in_past", effective_from_ms=effective_from_ms, at=at_ms)
    body: dict[str, Any] = msgspec.to_builtins(document)
    return DocumentPublished(
        kind=command.kind,
        document=command.document,
        version=command.version,
        body=body,
        digest=hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        effective_from_ms=effective_from_ms,
    )


def take_effect(book: Book, rest: str, due_ms: int) -> DocumentTookEffect:
    """The timer of a version: it is in force."""
    kind, document, version = rest.split("\n")
    return DocumentTookEffect(kind=kind, document=document, version=int(version))  # type: ignore[arg-type]


def _product(book: Book, product: Product) -> Iterator[Problem]:
    for index, currency in enumerate(product.currencies):
        if not knows_currency(book, currency):
            yield Problem(f"currencies[{index}]", f"there is no currency {currency}")
    yield from interest_checks(book, product)


CHECK: dict[str, Callable[[Book, Any], Iterator[Problem]]] = {
    "product": _product,
    "counterpart": check_counterpart,
    **policy_documents.CHECK,
}
"""What is asked of a document of each kind that only the book can tell: whether what it names is there."""

DECIDE: dict[type, Decide] = {PublishDocument: publish_document}

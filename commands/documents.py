"""What is decided about documents: whether a version is right, and when it takes effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
import orjson

from book.state import Book
from commands import policy_documents, products, rates_documents, risk_documents, typology_documents
from commands.case_policy import check_case_policy
from commands.charts import check_chart
from commands.counterparts import check_counterpart
from commands.decision import Decide, Decision
from commands.interest_documents import interest_against_earlier, interest_checks
from commands.rails import check_rail
from commands.references import not_in_force_by
from commands.suspense import check_suspense
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
    if isinstance(document, list):
        problems = document
    else:
        problems = list(CHECK[command.kind](book, document))
        if command.kind in FITS:
            problems += FITS[command.kind](book, command.document, document)
        effective_ms = at_ms if command.effective_from_ms is None else command.effective_from_ms
        problems += not_in_force_by(book, command.kind, document, effective_ms)
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
        proof=command.proof,
    )


def take_effect(book: Book, rest: str, due_ms: int) -> DocumentTookEffect:
    """The timer of a version: it is in force."""
    kind, document, version = rest.split("\n")
    return DocumentTookEffect(kind=kind, document=document, version=int(version))  # type: ignore[arg-type]


def _product(book: Book, product: Product) -> Iterator[Problem]:
    yield from products.check_product(book, product)
    yield from interest_checks(book, product)


CHECK: dict[str, Callable[[Book, Any], Iterator[Problem]]] = {
    "product": _product,
    "counterpart": check_counterpart,
    **policy_documents.CHECK,
    "tariff": products.check_tariff,
    "limits": products.check_limits,
    "chart": check_chart,
    "rail": check_rail,
    "calendar": lambda book, calendar: iter(()),
    "rates": rates_documents.check_rates,
    "suspense": check_suspense,
    "case_policy": check_case_policy,
    **risk_documents.CHECK,
    **typology_documents.CHECK,
}
"""What is asked of a document of each kind that only the book can tell: whether what it names is there."""

FITS: dict[str, Callable[[Book, str, Any], Iterable[Problem]]] = {
    "product": interest_against_earlier,
    "tariff": products.tariff_fits,
    "limits": products.limits_fit,
    "rates": rates_documents.against_earlier,
    **risk_documents.FITS,
    **typology_documents.FITS,
}
"""What is asked of a document by its earlier versions, and by those that name it already, given its id."""

DECIDE: dict[type, Decide] = {PublishDocument: publish_document}

"""What documents name, and whether that is in force by the time they are.

A document that is named once it is in force stays so: nothing is deleted, and a newer version only takes the
place of an older one. So it is enough to ask when the document that names it is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from book.state import Book
from commands.calendar import local_text
from schemas.documents.case_policy import CasePolicy
from schemas.documents.conditions import comparisons
from schemas.documents.document import Document, Problem
from schemas.documents.products import Product
from schemas.documents.rails import Rail
from schemas.documents.rules import Rules

Named = Iterator[tuple[str, str, str]]
"""Path, kind and id of each document that is named."""


def not_in_force_by(book: Book, kind: str, document: Document, effective_ms: int) -> Iterator[Problem]:
    """What the document names that is published, and begins only after it."""
    find = NAMES.get(kind)
    for path, of, name in find(document) if find is not None else ():
        shelf = book.documents.get(f"{of}/{name}")
        if shelf is None or shelf.in_force:
            continue
        begins_ms = min(one.effective_from_ms for one in shelf.pending.values())
        if begins_ms > effective_ms:
            yield Problem(
                path,
                f"the {of} document {name} begins {local_text(book.time_zone, begins_ms)}, which is after "
                f"{local_text(book.time_zone, effective_ms)}, when this would",
            )


def _product(product: Product) -> Named:
    if product.tariff is not None:
        yield "tariff", "tariff", product.tariff
    for index, name in enumerate(product.limits):
        yield f"limits[{index}]", "limits", name
    for index, terms in enumerate(product.interest):
        if terms.calendar is not None:
            yield f"interest[{index}].calendar", "calendar", terms.calendar


def _rail(rail: Rail) -> Named:
    if rail.calendar is not None:
        yield "calendar", "calendar", rail.calendar


def _case_policy(policy: CasePolicy) -> Named:
    if policy.hours.calendar is not None:
        yield "hours.calendar", "calendar", policy.hours.calendar


def _rules(rules: Rules) -> Named:
    for index, rule in enumerate(rules.rules):
        for path, one in comparisons(rule.when, f"rules[{index}].when"):
            if one.on_list is not None:
                yield f"{path}.on_list", "list", one.on_list
            if one.model is not None:
                yield f"{path}.model", "model", one.model


NAMES: dict[str, Callable[[Any], Named]] = {
    "product": _product,
    "rail": _rail,
    "rules": _rules,
    "case_policy": _case_policy,
}
"""The documents that a document of each kind names."""

"""What puts documents on their shelf and into force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book import interest, rates
from book.access import scopes_of
from book.banking_days import banking_days
from book.charts import chart_in_force
from book.payments import release
from book.payments_in import suspense_in_force
from book.planning import limits_in_force, product_in_force, tariff_in_force
from book.policies import compiled
from book.risk import list_in_force, model_in_force, rules_in_force
from book.shelf import Shelf, Version
from book.state import Book, Role
from schemas.documents.approval_policies import ApprovalPolicy
from schemas.documents.calendars import Calendar
from schemas.documents.case_policy import CasePolicy
from schemas.documents.counterparts import Counterpart
from schemas.documents.kinds import known
from schemas.documents.products import Product
from schemas.documents.rails import Rail
from schemas.documents.rates import Rates
from schemas.documents.roles import Roles
from schemas.publishing import DocumentPublished, DocumentTookEffect


def document_timer(kind: str, document: str, version: int) -> str:
    """The id of the timer that puts a version into force."""
    return f"document\n{kind}\n{document}\n{version}"


def document_published(book: Book, event: DocumentPublished) -> None:
    """The version is on the shelf. What was to take effect later than it never will."""
    shelf = book.documents.setdefault(f"{event.kind}/{event.document}", Shelf())
    shelf.latest = event.version
    late = [one for one, had in shelf.pending.items() if had.effective_from_ms >= event.effective_from_ms]
    for version in late:
        del shelf.pending[version]
        book.timers.remove(document_timer(event.kind, event.document, version))
    if event.effective_from_ms <= event.at:
        _put_in_force(book, event.kind, event.document, event.version, event.digest, event.body)
    else:
        shelf.pending[event.version] = Version(event.effective_from_ms, event.digest, event.body)
        book.timers.set(document_timer(event.kind, event.document, event.version), event.effective_from_ms)


def document_took_effect(book: Book, event: DocumentTookEffect) -> None:
    """The version's time has come."""
    pending = book.documents[f"{event.kind}/{event.document}"].pending.pop(event.version)
    book.timers.remove(document_timer(event.kind, event.document, event.version))
    _put_in_force(book, event.kind, event.document, event.version, pending.digest, pending.body)


def _put_in_force(
    book: Book, kind: str, document: str, version: int, digest: str, body: dict[str, Any]
) -> None:
    shelf = book.documents[f"{kind}/{document}"]
    shelf.in_force, shelf.digest, shelf.body = version, digest, body
    ENFORCE[kind](book, document, known(kind, body))


def _product(book: Book, document: str, body: Product) -> None:
    product_in_force(book, document, body)
    interest.product_in_force(book, document, body)


def _counterpart(book: Book, document: str, body: Counterpart) -> None:
    book.in_force.counterparts[body.book] = body


def _calendar(book: Book, document: str, body: Calendar) -> None:
    book.in_force.calendars[document] = banking_days(body)


def _approval_policy(book: Book, document: str, body: ApprovalPolicy) -> None:
    in_force = book.in_force
    in_force.approval_policies[document] = (book.documents[f"approval_policy/{document}"].in_force, body)
    in_force.policies = compiled(
        ((name, version, one) for name, (version, one) in sorted(in_force.approval_policies.items())),
        four_eyes=book.four_eyes,
    )


def _roles(book: Book, document: str, body: Roles) -> None:
    for role in body.roles:
        book.roles[role.id] = Role(role.permits, scopes_of(role.permits))
    named = {role.id for role in body.roles}
    in_force = book.in_force
    in_force.emergency = (
        *(name for name in in_force.emergency if name not in named),
        *(role.id for role in body.roles if role.emergency),
    )
    in_force.toxic = body.pairs()


def _rail(book: Book, document: str, body: Rail) -> None:
    book.in_force.rails[document] = body
    for one in body.currencies:
        release(book, "rail_unavailable", f"{document}/{one.currency}", book.at)


def _rates(book: Book, document: str, body: Rates) -> None:
    version = book.documents[f"rates/{document}"].in_force
    book.in_force.rates[document] = rates.in_force(document, version, body)


def _case_policy(book: Book, document: str, body: CasePolicy) -> None:
    book.in_force.cases = body


ENFORCE: dict[str, Callable[[Book, str, Any], None]] = {
    "product": _product,
    "counterpart": _counterpart,
    "approval_policy": _approval_policy,
    "roles": _roles,
    "tariff": tariff_in_force,
    "limits": limits_in_force,
    "chart": chart_in_force,
    "rail": _rail,
    "calendar": _calendar,
    "rates": _rates,
    "suspense": suspense_in_force,
    "case_policy": _case_policy,
    "rules": rules_in_force,
    "list": list_in_force,
    "model": model_in_force,
    "typologies": lambda book, document, body: None,  # detection follows them by itself
}
"""What a document of each kind changes when it comes into force."""

EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    DocumentPublished: document_published,
    DocumentTookEffect: document_took_effect,
}

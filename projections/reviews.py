"""`reviews`: payments that wait, or waited, until somebody looked at them. For staff; no view shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, instant_or_null
from projections.folding import Folding
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.message import Event
from schemas.payments import PaymentCancelled
from schemas.reviews import PaymentDeclined, ReviewBegan, ReviewEscalated, ReviewReleased

REVIEWS = Table(
    "reviews",
    (
        ("book", "text NOT NULL"),
        ("payment", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("maker", "text NOT NULL"),
        ("level", "integer NOT NULL"),
        ("on_timeout", "text NOT NULL"),
        ("began_at", "timestamptz NOT NULL"),
        ("answer_by", "timestamptz"),
        ("ended_at", "timestamptz"),
        ("decided_by", "text NOT NULL"),
        ("label", "text NOT NULL"),
        ("reason", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "payment"),
    indexes=(Index("reviews_open", "(book, answer_by, payment) WHERE status = 'open'"),),
)
TABLES = (REVIEWS,)
_CANCEL = (
    "UPDATE {schema}.reviews SET status = 'cancelled', answer_by = NULL, ended_at = %s::timestamptz, "
    "reason = %s, seq = %s WHERE book = %s AND payment = %s AND status = 'open' AND seq < %s"
)
"""A payment that is cancelled need not have been in review, or no longer."""
_FOLDING = Folding(REVIEWS)


def changes(batch: Batch) -> Iterator[Change]:
    """A statement for all reviews that changed in the same way, then those that ended with their payment."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in batch.others:
        said = changed(event)
        if said:
            rows.setdefault((event.book, event.payment), {}).update(said, seq=event.seq)  # type: ignore[attr-defined]
    yield from _FOLDING.changes(rows)
    cancelled = [
        (instant(event.at), event.reason, event.seq, event.book, event.payment, event.seq)
        for event in batch.others
        if type(event) is PaymentCancelled
    ]
    if cancelled:
        yield Execute(_CANCEL, cancelled)


def changed(event: Event) -> dict[str, Any]:
    """The columns that an event changes."""
    match event:
        case ReviewBegan():
            return {
                "status": "open",
                "account": event.account,
                "party": event.party,
                "amount": event.amount,
                "currency": event.currency,
                "maker": event.maker,
                "level": 0,
                "on_timeout": event.then,
                "began_at": instant(event.at),
                "answer_by": instant(event.answer_by_ms),
                "ended_at": None,
                "decided_by": "",
                "label": "",
                "reason": "",
            }
        case ReviewEscalated():
            return {
                "level": event.level,
                "answer_by": instant_or_null(event.answer_by_ms),
                "reason": event.reason,
            }
        case ReviewReleased():
            return _ended(event, "released", event.person, event.label, event.reason)
        case PaymentDeclined():
            return _ended(event, "declined", event.person, event.label, event.restricted)
        case _:
            return {}


def _ended(event: Event, status: str, person: str, label: str, reason: str) -> dict[str, Any]:
    return {
        "status": status,
        "answer_by": None,
        "ended_at": instant(event.at),
        "decided_by": person,
        "label": label,
        "reason": reason,
    }

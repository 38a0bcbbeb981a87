"""`payments`: what leaves the bank, as it is now, with why it waits and what is to be repaired; and the
entries that are expected at nostro accounts because of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, instant_or_null
from projections.folding import Folding
from projections.tables import Batch, Change, Index, Table
from schemas.catalogue import EVENTS
from schemas.message import Event
from schemas.payments import (
    PaymentCancelled,
    PaymentDispatched,
    PaymentScreened,
    PaymentSubmitted,
    PaymentWaiting,
    RecallRequested,
)
from schemas.rail_reports import (
    PaymentAccepted,
    PaymentFailed,
    PaymentReturned,
    PaymentSettled,
    RecallRefused,
    RepairNeeded,
)
from schemas.repairs import PaymentCharged, PaymentQueried, PaymentResent, RepairClosed, RepairProposed
from schemas.reviews import PaymentDeclined

PAYMENTS = Table(
    "payments",
    (
        ("book", "text NOT NULL"),
        ("payment", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("rail", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("waits_for", "text NOT NULL"),
        ("waits_by", "text NOT NULL"),
        ("due_at", "timestamptz"),
        ("amount", "bigint NOT NULL"),
        ("fees", "bigint NOT NULL"),
        ("returned", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("payee_name", "text NOT NULL"),
        ("payee_account", "text NOT NULL"),
        ("payee_agent", "text NOT NULL"),
        ("payee_country", "text NOT NULL"),
        ("purpose", "text NOT NULL"),
        ("reference", "text NOT NULL"),
        ("end_to_end", "text NOT NULL"),
        ("channel", "text NOT NULL"),
        ("execution_date", "date NOT NULL"),
        ("screening", "text NOT NULL"),
        ("recall", "text NOT NULL"),
        ("rail_reference", "text NOT NULL"),
        ("attempt", "integer NOT NULL"),
        ("asked", "integer NOT NULL"),
        ("repair", "text NOT NULL"),
        ("repair_detail", "text NOT NULL"),
        ("repair_since", "timestamptz"),
        ("proposal", "text NOT NULL"),
        ("proposed_by", "text NOT NULL"),
        ("submitted_at", "timestamptz NOT NULL"),
        ("dispatched_at", "timestamptz"),
        ("ended_at", "timestamptz"),
        ("command", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "payment"),
    indexes=(
        Index("payments_account", "(book, account, submitted_at)"),
        Index("payments_waiting", "(book, waits_for, waits_by) WHERE status = 'waiting'"),
        Index("payments_repair", "(book, repair_since) WHERE repair <> ''"),
    ),
    personal=("payee_name", "payee_account"),
)
EXPECTED = Table(
    "expected_entries",
    (
        ("book", "text NOT NULL"),
        ("entry", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("value_date", "date NOT NULL"),
        ("reference", "text NOT NULL"),
        ("state", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "entry"),
    indexes=(Index("expected_entries_open", "(book, account, value_date) WHERE state = 'expected'"),),
)
TABLES = (PAYMENTS, EXPECTED)
EXPECTING_EVENTS = frozenset(kind for kind in EVENTS if "expected" in kind.__struct_fields__)

_PAYMENTS, _EXPECTED = Folding(PAYMENTS), Folding(EXPECTED)
REPAIRED = {"repair": "", "repair_detail": "", "repair_since": None, "proposal": "", "proposed_by": ""}
NOT_WAITING = {"waits_for": "", "waits_by": "", "due_at": None}


def changes(batch: Batch) -> Iterator[Change]:
    """A statement for all payments that changed in the same way, and one for expected entries."""
    payments: dict[tuple[Any, ...], dict[str, Any]] = {}
    expected: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in batch.others:
        said = changed(event)
        if said:
            key = (event.book, event.payment)  # type: ignore[attr-defined]
            payments.setdefault(key, {}).update(said, seq=event.seq)
        if type(event) in EXPECTING_EVENTS:
            for one in event.expected:  # type: ignore[attr-defined]
                expected[event.book, one.entry] = {
                    "account": one.account,
                    "amount": one.amount,
                    "currency": one.currency,
                    "value_date": str(one.value_date),
                    "reference": one.reference,
                    "state": one.state,
                    "seq": event.seq,
                }
    yield from _PAYMENTS.changes(payments)
    yield from _EXPECTED.changes(expected)


def changed(event: Event) -> dict[str, Any]:  # noqa: C901, PLR0912 - a line for each type of event
    """The columns that an event changes."""
    at = instant(event.at)
    match event:
        case PaymentSubmitted():
            return _submitted(event)
        case PaymentWaiting():
            due_at = instant_or_null(event.due_ms)
            return {"waits_for": event.reason, "waits_by": event.by, "due_at": due_at}
        case PaymentDispatched():
            due_at = instant(event.answer_by_ms)
            return {
                "status": "dispatched",
                **NOT_WAITING,
                "due_at": due_at,
                "dispatched_at": at,
                "attempt": 1,
            }
        case PaymentCancelled():
            return {"status": "cancelled", **NOT_WAITING, "ended_at": at}
        case PaymentDeclined():
            return {"status": "declined", **NOT_WAITING, "ended_at": at}
        case PaymentScreened():
            return {"screening": event.state}
        case RecallRequested():
            return {"recall": "requested"}
        case PaymentAccepted():
            return {
                "status": "accepted",
                "due_at": instant(event.answer_by_ms),
                "rail_reference": event.rail_reference,
                **REPAIRED,
            }
        case PaymentSettled():
            ended = {"ended_at": at, "due_at": None, "rail_reference": event.rail_reference}
            return {**ended, **({"status": "disputed", "returned": 0} if event.late else _ended("settled"))}
        case PaymentFailed():
            return {**_ended("failed"), "ended_at": at, "rail_reference": event.rail_reference}
        case PaymentReturned():
            recalled = {"recall": "accepted"} if event.recalled else {}
            whole = _ended("recalled" if event.recalled else "returned") if not event.left else {}
            return {"returned": event.returned_after, **recalled, **whole}
        case RecallRefused():
            return {"recall": "refused"}
        case RepairNeeded():
            return {
                **REPAIRED,
                "repair": event.reason,
                "repair_detail": event.detail,
                "repair_since": at,
                "due_at": None,
            }
        case RepairProposed():
            return {"proposal": event.action, "proposed_by": event.person}
        case PaymentQueried():
            return {"asked": event.asked, "due_at": instant(event.answer_by_ms)}
        case PaymentResent():
            return {"attempt": event.attempt, "due_at": instant(event.answer_by_ms)}
        case PaymentCharged():
            return {"status": "settled"}
        case RepairClosed():
            return REPAIRED
        case _:
            return {}


def _ended(status: str) -> dict[str, Any]:
    return {"status": status, "due_at": None, **REPAIRED}


def _submitted(event: PaymentSubmitted) -> dict[str, Any]:
    payee = event.payee
    return {
        "account": event.account,
        "rail": event.rail,
        "status": "waiting",
        **NOT_WAITING,
        "amount": event.amount,
        "fees": sum(fee.amount for fee in event.fees),
        "returned": 0,
        "currency": event.currency,
        "payee_name": payee.name,
        "payee_account": payee.account,
        "payee_agent": payee.agent,
        "payee_country": payee.country,
        "purpose": event.purpose,
        "reference": event.reference,
        "end_to_end": event.end_to_end,
        "channel": event.channel,
        "execution_date": str(event.execution_date),
        "screening": event.screening,
        "recall": "",
        "rail_reference": "",
        "attempt": 0,
        "asked": 0,
        **REPAIRED,
        "submitted_at": instant(event.at),
        "dispatched_at": None,
        "ended_at": None,
        "command": event.command,
    }

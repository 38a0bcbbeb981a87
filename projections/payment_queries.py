"""What the command line asks about payments: one with its life, what is in repair, which stops are on."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.answers import AuditRow
from projections.approvals_queries import AnswerRow, ApprovalRow, approval
from projections.database import Session
from projections.layout import LIVE
from projections.queries import audit

MOST_EVENTS = 10_000


class PaymentRow(msgspec.Struct, frozen=True):
    """A payment. waits_for, waits_by: why it is not sent.   due_at: when something happens by itself.

    repair: why it is in the queue, empty where it is not.   proposal: what the first of two persons wants.
    """

    book: str
    payment: str
    account: str
    rail: str
    status: str
    waits_for: str
    waits_by: str
    due_at: datetime.datetime | None
    amount: int
    fees: int
    returned: int
    currency: str
    payee_name: str
    payee_account: str
    payee_agent: str
    payee_country: str
    purpose: str
    reference: str
    end_to_end: str
    channel: str
    execution_date: datetime.date
    screening: str
    recall: str
    rail_reference: str
    attempt: int
    asked: int
    repair: str
    repair_detail: str
    repair_since: datetime.datetime | None
    proposal: str
    proposed_by: str
    submitted_at: datetime.datetime
    dispatched_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    command: str
    seq: int


class Timeline(msgspec.Struct, frozen=True):
    """A payment's life: every event that names it, refused commands too, and the approval it needed."""

    payment: PaymentRow
    events: list[AuditRow]
    approval: ApprovalRow | None
    answers: list[AnswerRow]


class StopRow(msgspec.Struct, frozen=True):
    """A stop switch that is on. waiting: how many payments wait for it."""

    book: str
    stop: str
    scope: str
    value: str
    reason: str
    author: str
    since: datetime.datetime
    waiting: int


_ROW = ", ".join(field.name for field in msgspec.structs.fields(PaymentRow))


def payment(session: Session, book: str, payment_id: str) -> PaymentRow | None:
    """A payment, None where the book has none of this id."""
    found = _rows(
        session,
        f"SELECT {_ROW} FROM {LIVE}.payments WHERE book = %(book)s AND payment = %(payment)s",
        {"book": book, "payment": payment_id},
    )
    return msgspec.convert(found[0], PaymentRow) if found else None


def timeline(session: Session, book: str, payment_id: str) -> Timeline | None:
    """A payment's life, the oldest event first; None where the book has none of this id."""
    row = payment(session, book, payment_id)
    if row is None:
        return None
    events = audit(session, book=book, entity=payment_id, limit=MOST_EVENTS)
    events = [one for one in events if payment_id in (one.event.get("payment"), _figure(one.event))]
    asked = _approval_of(session, book, row) if row.command else None
    return Timeline(row, events, *(asked or (None, [])))


def _figure(event: dict[str, Any]) -> Any:
    return (event.get("figures") or {}).get("payment")


def _approval_of(session: Session, book: str, row: PaymentRow) -> tuple[ApprovalRow, list[AnswerRow]] | None:
    """The approval whose last yes submitted the payment: its events answer the same command."""
    for one in audit(session, book=book, command=row.command):
        if one.type == "ApprovalGiven":
            return approval(session, book, one.event["approval"])
    return None


def repairs(session: Session, book: str, limit: int = 1_000) -> list[PaymentRow]:
    """What is in repair, the oldest first."""
    found = _rows(
        session,
        f"SELECT {_ROW} FROM {LIVE}.payments WHERE book = %(book)s AND repair <> '' "
        "ORDER BY repair_since, payment LIMIT %(limit)s",
        {"book": book, "limit": limit},
    )
    return msgspec.convert(found, list[PaymentRow])


def stops(session: Session, book: str) -> list[StopRow]:
    """The stops that are on, the oldest first."""
    found = _rows(
        session,
        "SELECT s.book, s.stop, s.scope, s.value, s.reason, s.author, s.since, "
        f"(SELECT count(*) FROM {LIVE}.payments AS p WHERE p.book = s.book AND p.status = 'waiting' "
        "AND p.waits_for = 'stopped' AND p.waits_by = s.stop) AS waiting "
        f"FROM {LIVE}.stops AS s WHERE s.book = %(book)s AND s.lifted_at IS NULL ORDER BY s.seq",
        {"book": book},
    )
    return msgspec.convert(found, list[StopRow])


def _rows(session: Session, statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), parameters).fetchall()

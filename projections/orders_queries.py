"""What the command line asks about orders, bulks and suspense."""

from __future__ import annotations

import datetime
from typing import Any, TypeVar

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE

Row = TypeVar("Row", bound=msgspec.Struct)


class OrderRow(msgspec.Struct, frozen=True):
    """An order. next_date, due_at: None where no run is due.   made: how many runs were."""

    book: str
    order_id: str
    account: str
    payee: str
    rail: str | None
    amount: int
    above: int | None
    currency: str
    every: str
    state: str
    next_date: datetime.date | None
    due_at: datetime.datetime | None
    made: int
    reference: str


class BulkRow(msgspec.Struct, frozen=True):
    """A bulk, and how many of its instructions were accepted and refused."""

    book: str
    bulk: str
    mode: str
    instructions: int
    accepted: int
    refused: int
    actor: str
    at: datetime.datetime


class InstructionRow(msgspec.Struct, frozen=True):
    """What became of an instruction. index: counted from 0."""

    index: int
    state: str
    account: str | None
    credit: str | None
    payment: str | None
    amount: int | None
    currency: str | None
    reason: str | None
    figures: dict[str, Any] | None
    seq: int


class SuspenseRow(msgspec.Struct, frozen=True):
    """What waits in suspense. age_s: for how long, by the book's newest time."""

    book: str
    receipt: str
    rail: str
    told_account: str
    amount: int
    currency: str
    payer: str
    reference: str
    reason: str
    figures: dict[str, Any]
    owner: str
    received_at: datetime.datetime
    age_s: int


def _names(kind: type[msgspec.Struct], *others: str) -> str:
    return ", ".join(f"t.{name}" for name in kind.__struct_fields__ if name not in others)


def orders(session: Session, book: str, account: str | None, limit: int = 1_000) -> list[OrderRow]:
    """The orders of an account, or all that are not over; by id."""
    where = "t.account = %(account)s" if account else "t.state IN ('active', 'paused')"
    return _rows(
        session,
        OrderRow,
        f"SELECT {_names(OrderRow)} FROM {LIVE}.standing_orders AS t WHERE t.book = %(book)s AND {where} "
        "ORDER BY t.order_id LIMIT %(limit)s",
        {"book": book, "account": account, "limit": limit},
    )


def bulk(session: Session, book: str, name: str) -> BulkRow | None:
    """The bulk of this id."""
    found = _rows(
        session,
        BulkRow,
        f"SELECT {_names(BulkRow)} FROM {LIVE}.bulks AS t WHERE t.book = %(book)s AND t.bulk = %(bulk)s",
        {"book": book, "bulk": name},
    )
    return found[0] if found else None


def instructions(session: Session, book: str, name: str) -> list[InstructionRow]:
    """What became of each of its instructions, in their order."""
    return _rows(
        session,
        InstructionRow,
        f"SELECT {_names(InstructionRow)} FROM {LIVE}.bulk_instructions AS t "
        "WHERE t.book = %(book)s AND t.bulk = %(bulk)s ORDER BY t.index",
        {"book": book, "bulk": name},
    )


def suspense(session: Session, book: str, limit: int = 1_000) -> list[SuspenseRow]:
    """What waits in suspense, the oldest first."""
    return _rows(
        session,
        SuspenseRow,
        f"SELECT {_names(SuspenseRow, 'age_s')}, extract(epoch FROM b.at - t.received_at)::bigint AS age_s "
        f"FROM {LIVE}.receipts AS t JOIN {LIVE}.books AS b ON b.book = t.book "
        "WHERE t.state = 'in_suspense' AND t.book = %(book)s ORDER BY t.received_at, t.receipt "
        "LIMIT %(limit)s",
        {"book": book, "limit": limit},
    )


def _rows(session: Session, kind: type[Row], query: str, parameters: dict[str, Any]) -> list[Row]:
    with session.cursor(row_factory=dict_row) as cursor:
        return [kind(**row) for row in cursor.execute(query.encode(), parameters)]

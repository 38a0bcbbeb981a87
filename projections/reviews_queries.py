"""What staff ask about payments in review."""

from __future__ import annotations

import datetime

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE
from projections.reviews import REVIEWS


class ReviewRow(msgspec.Struct, frozen=True):
    """A payment in review, or that was. status: open, released, declined or cancelled.

    level: how often it was left to others.   on_timeout: what comes of it at `answer_by`; None for nothing.
    decided_by: the person; empty where its time was over or the customer cancelled.   reason: the newest.
    """

    book: str
    payment: str
    status: str
    account: str
    party: str
    amount: int
    currency: str
    maker: str
    level: int
    on_timeout: str
    began_at: datetime.datetime
    answer_by: datetime.datetime | None
    ended_at: datetime.datetime | None
    decided_by: str
    label: str
    reason: str
    seq: int


def reviews(session: Session, book: str, *, over: bool = False, limit: int = 1_000) -> list[ReviewRow]:
    """What waits for review, most urgent first. over: also what no longer does, the newest first."""
    columns = ", ".join(name for name, _ in REVIEWS.columns)
    where = "" if over else "AND status = 'open' "
    order = "began_at DESC, payment" if over else "answer_by NULLS FIRST, began_at, payment"
    with session.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            f"SELECT {columns} FROM {LIVE}.reviews WHERE book = %(book)s {where}"
            f"ORDER BY {order} LIMIT %(limit)s".encode(),
            {"book": book, "limit": limit},
        ).fetchall()
    return msgspec.convert(found, list[ReviewRow])

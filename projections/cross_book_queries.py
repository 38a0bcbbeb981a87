"""What is asked about payments between books: one by its name, and what is on its way."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE


class CrossBookRow(msgspec.Struct, frozen=True):
    """A payment between books. What the one side has not recorded, or is not projected yet, is None.

    state: sent, received or refused by `to_book`, then completed or released by `from_book`.
    age_s: how long it has been on its way, by the newest book time of `from_book`; None where it is settled.
    """

    from_book: str
    to_book: str
    number: int
    state: str
    transfer: str | None
    from_account: str | None
    to_account: str | None
    amount: int | None
    currency: str | None
    reference: str | None
    reason: str | None
    figures: dict[str, Any] | None
    sent_at: datetime.datetime | None
    sent_seq: int | None
    answered_at: datetime.datetime | None
    received_seq: int | None
    refused_seq: int | None
    settled_at: datetime.datetime | None
    completed_seq: int | None
    released_seq: int | None
    acknowledged_at: datetime.datetime | None
    acknowledged_seq: int | None
    age_s: int | None


_NAMES = ", ".join(f"t.{one.name}" for one in msgspec.structs.fields(CrossBookRow) if one.name != "age_s")
_SELECT = (
    f"SELECT {_NAMES}, CASE WHEN t.settled_at IS NULL THEN extract(epoch FROM b.at - t.sent_at)::bigint END "
    f"AS age_s FROM {LIVE}.cross_book AS t LEFT JOIN {LIVE}.books AS b ON b.book = t.from_book "
)
_OF_BOOK = "(%(book)s::text IS NULL OR %(book)s IN (t.from_book, t.to_book))"


def named(session: Session, transfer: str, book: str | None = None) -> list[CrossBookRow]:
    """The payments of this name, of which one at most is on its way from each book; the newest last."""
    return _rows(
        session,
        f"{_SELECT} WHERE t.transfer = %(transfer)s AND {_OF_BOOK} ORDER BY t.sent_at, t.from_book",
        {"transfer": transfer, "book": book},
    )


def unsettled(session: Session, book: str | None = None, limit: int = 1_000) -> list[CrossBookRow]:
    """What is on its way from or to the book, or any; the oldest first."""
    return _rows(
        session,
        f"{_SELECT} WHERE t.settled_at IS NULL AND {_OF_BOOK} ORDER BY t.sent_at, t.from_book "
        "LIMIT %(limit)s",
        {"book": book, "limit": limit},
    )


def _rows(session: Session, statement: str, parameters: dict[str, Any]) -> list[CrossBookRow]:
    with session.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement.encode(), parameters).fetchall()
    return msgspec.convert(found, list[CrossBookRow])

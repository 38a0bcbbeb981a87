"""What the command line asks about limits and fees, each question answered by an index."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE


class BookRow(msgspec.Struct, frozen=True):
    """What is to be known of a book to say which day it is."""

    time_zone: str
    clock: str
    at: datetime.datetime


class UsageRow(msgspec.Struct, frozen=True):
    """What was used in one slice of a limit."""

    limit_key: str
    bucket: int
    total: int
    reserved: int


class FeeRow(msgspec.Struct, frozen=True):
    """A fee. status: charged, waived or reversed; the latter two by the event `returned_seq`."""

    seq: int
    number: int
    at: datetime.datetime
    account: str
    tariff: str
    version: int
    line: str
    amount: int
    currency: str
    income: str
    status: str
    returned_seq: int | None


def book_of(session: Session, book: str) -> BookRow | None:
    """The book's clock; None where there is no such book."""
    found = _rows(session, f"SELECT time_zone, clock, at FROM {LIVE}.books WHERE book = %s", book)
    return msgspec.convert(found[0], BookRow) if found else None


def body_in_force(session: Session, book: str, kind: str, document: str, at_ms: int) -> Any:
    """The version of a product or limits document in force at that time, and its body, or None."""
    found = _rows(
        session,
        f"SELECT version, body FROM {LIVE}.terms_documents WHERE book = %s AND kind = %s AND document = %s "
        "AND effective_from_ms <= %s ORDER BY version DESC LIMIT 1",
        *(book, kind, document, at_ms),
    )
    return found[0]["body"] if found else None


def bodies_so_far(
    session: Session, book: str, kind: str, document: str, at: datetime.datetime
) -> list[tuple[int, Any]]:
    """The versions of a document that have been in force up to that time, with their bodies, oldest first."""
    found = _rows(
        session,
        f"SELECT version, body FROM {LIVE}.documents WHERE book = %s AND kind = %s AND document = %s "
        "AND (in_force_at IS NOT NULL OR (status = 'pending' AND effective_from <= %s)) ORDER BY version",
        *(book, kind, document, at),
    )
    return [(one["version"], one["body"]) for one in found]


def usage(session: Session, book: str, by: str, holder: str) -> list[UsageRow]:
    """All that is counted for one account, party..."""
    found = _rows(
        session,
        f"SELECT limit_key, bucket, total, reserved FROM {LIVE}.limit_usage "
        "WHERE book = %s AND counted_by = %s AND holder = %s",
        *(book, by, holder),
    )
    return msgspec.convert(found, list[UsageRow])


def raises(session: Session, book: str, by: str, holder: str, at_ms: int) -> dict[str, tuple[int, int]]:
    """The raises that stand for one account or party: most and until, by the limit's name."""
    found = _rows(
        session,
        f"SELECT limit_name, most, until_ms FROM {LIVE}.limit_raises "
        "WHERE book = %s AND counted_by = %s AND holder = %s AND until_ms > %s",
        *(book, by, holder, at_ms),
    )
    return {one["limit_name"]: (one["most"], one["until_ms"]) for one in found}


def fees(session: Session, book: str, account: str, limit: int = 100) -> list[FeeRow]:
    """The newest fees of an account, oldest first."""
    names = ", ".join(field.name for field in msgspec.structs.fields(FeeRow))
    found = _rows(
        session,
        f"SELECT {names} FROM {LIVE}.fees WHERE book = %s AND account = %s ORDER BY seq DESC, number DESC "
        "LIMIT %s",
        *(book, account, limit),
    )
    return msgspec.convert(found[::-1], list[FeeRow])


def _rows(session: Session, query: str, *parameters: Any) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()

"""What the command line asks about foreign exchange and value dates, each answered by an index."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE


class TableRow(msgspec.Struct, frozen=True):
    """A table of rates in force. body: the document whole."""

    document: str
    version: int
    effective_from: datetime.datetime
    body: dict[str, Any]


class PositionRow(msgspec.Struct, frozen=True):
    """A position. Amounts are minor units; None where it was never valued."""

    account: str
    currency: str
    amount: int
    cost: int
    realised: int
    valued_on: datetime.date | None
    value: int | None
    unrealised: Decimal | None
    result: int


class DeferredRow(msgspec.Struct, frozen=True):
    """What an account was credited and cannot spend yet, minor units."""

    transfer: int
    account: str
    currency: str
    amount: int
    waiting: int
    booking_date: datetime.date
    value_date: datetime.date


class QuoteRow(msgspec.Struct, frozen=True):
    """A quote that can be used. Amounts are minor units."""

    quote: str
    party: str
    sell: str
    sell_amount: int
    buy: str
    buy_amount: int
    rate: Decimal
    expires_at: datetime.datetime


def tables(session: Session, book: str) -> list[TableRow]:
    """The tables of rates in force, by id."""
    found = _all(
        session,
        f"SELECT document, version, effective_from, body FROM {LIVE}.rate_tables "
        "WHERE book = %s AND in_force ORDER BY document",
        book,
    )
    return [TableRow(**row) for row in found]


def positions(session: Session, book: str) -> list[PositionRow]:
    """All positions, by account."""
    names = ", ".join(field.name for field in msgspec.structs.fields(PositionRow))
    statement = f"SELECT {names} FROM {LIVE}.positions WHERE book = %s ORDER BY account"
    return [PositionRow(**row) for row in _all(session, statement, book)]


def deferred(session: Session, book: str, account: str | None = None) -> list[DeferredRow]:
    """What cannot be spent yet, of one account or of all, the next to come first."""
    names = ", ".join(field.name for field in msgspec.structs.fields(DeferredRow))
    of, parameters = (" AND account = %s", (book, account)) if account is not None else ("", (book,))
    statement = (
        f"SELECT {names} FROM {LIVE}.deferred WHERE book = %s{of} AND waiting > 0 "
        "ORDER BY value_date, transfer, account"
    )
    return [DeferredRow(**row) for row in _all(session, statement, *parameters)]


def open_quotes(session: Session, book: str) -> list[QuoteRow]:
    """The quotes that can be used, the next to expire first."""
    names = ", ".join(field.name for field in msgspec.structs.fields(QuoteRow))
    statement = f"SELECT {names} FROM {LIVE}.quotes WHERE book = %s AND status = 'open' ORDER BY expires_at"
    return [QuoteRow(**row) for row in _all(session, statement, book)]


def currency_of(session: Session, book: str) -> str:
    """The book's own currency."""
    (found,) = _all(session, f"SELECT currency FROM {LIVE}.books WHERE book = %s", book)
    return str(found["currency"])


def _all(session: Session, statement: str, *parameters: Any) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), parameters).fetchall()

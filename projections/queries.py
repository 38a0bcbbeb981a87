"""The questions that the command line and the gateway ask the read models, each answered by an index.

Every function takes a session (`projections.database.connect`); amounts are minor units, positive is credit.
Texts come as they are stored: who may see personal data is decided by who asks these questions.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row

from book.state import SYSTEM_BOOK
from projections.answers import (
    AccountRow,
    AuditRow,
    BusinessDayRow,
    By,
    LedgerRow,
    Line,
    OutcomeRow,
    Statement,
)
from projections.database import Session
from projections.layout import LIVE
from schemas.money import EXPONENTS


def account(session: Session, book: str, account_id: str) -> AccountRow | None:
    """An account, None where the book has none of this id."""
    names = ", ".join(field.name for field in msgspec.structs.fields(AccountRow))
    statement = f"SELECT {names} FROM {LIVE}.accounts WHERE book = %s AND account = %s"
    found = rows(session, statement, book, account_id)
    return msgspec.convert(found[0], AccountRow) if found else None


def statement(
    session: Session,
    book: str,
    account_id: str,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    by: By = "booking-date",
) -> Statement | None:
    """An account's statement, None where there is no such account. All of it comes from one snapshot."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder = account(session, book, account_id)
        if holder is None:
            return None
        begin = first or datetime.date.min
        of = (book, account_id)
        opening = _balance_before(session, *of, begin)
        if by == "booking-date":
            lines = _lines(session, *of, begin, last, "TRUE")
        else:
            opening += _other_dated_before(session, *of, begin)
            lines = _lines(session, *of, begin, last, "value_date = booking_date")
            lines += _other_dated(session, *of, begin, last)
            lines.sort(key=lambda line: (line.value_date, line.seq, line.leg))
            running, ordered = opening, []
            for line in lines:
                running += line.amount
                ordered.append(msgspec.structs.replace(line, balance=running))
            lines = ordered
    closing = lines[-1].balance if lines else opening
    return Statement(holder, by, first, last, opening, lines, closing)


_LINE = ", ".join(field.name for field in msgspec.structs.fields(Line))


def _balance_before(session: Session, book: str, account_id: str, begin: datetime.date) -> int:
    found = session.execute(
        f"SELECT balance FROM {LIVE}.entries WHERE book = %s AND account = %s AND booking_date < %s "
        "ORDER BY booking_date DESC, seq DESC, leg DESC LIMIT 1".encode(),
        (book, account_id, begin),
    ).fetchone()
    return 0 if found is None else int(found[0])


def _other_dated_before(session: Session, book: str, account_id: str, begin: datetime.date) -> int:
    """What was booked on or after a day and counts before it, less what was booked before and counts from
    that day on.
    """
    found = session.execute(
        "SELECT coalesce(sum(CASE WHEN value_date < %s THEN amount ELSE -amount END), 0) "
        f"FROM {LIVE}.entries WHERE book = %s AND account = %s AND value_date <> booking_date "
        "AND (value_date < %s) <> (booking_date < %s)".encode(),
        (begin, book, account_id, begin, begin),
    ).fetchone()
    assert found is not None, "a sum is a row"
    return int(found[0])


def _lines(
    session: Session, book: str, account_id: str, begin: datetime.date, end: datetime.date | None, also: str
) -> list[Line]:
    found = rows(
        session,
        f"SELECT {_LINE} FROM {LIVE}.entries WHERE book = %s AND account = %s "
        f"AND booking_date BETWEEN %s AND %s AND {also} ORDER BY booking_date, seq, leg",
        *(book, account_id, begin, end or datetime.date.max),
    )
    return msgspec.convert(found, list[Line])


def _other_dated(
    session: Session, book: str, account_id: str, begin: datetime.date, end: datetime.date | None
) -> list[Line]:
    found = rows(
        session,
        f"SELECT {_LINE} FROM {LIVE}.entries WHERE book = %s AND account = %s "
        "AND value_date BETWEEN %s AND %s AND value_date <> booking_date",
        *(book, account_id, begin, end or datetime.date.max),
    )
    return msgspec.convert(found, list[Line])


def audit(
    session: Session,
    *,
    book: str | None = None,
    actor: str | None = None,
    entity: str | None = None,
    command: str | None = None,
    limit: int = 100,
) -> list[AuditRow]:
    """The newest events that fit all that is given, oldest first.

    entity: an account, party, user, role... An account is also found by its postings.
    """
    given = {"book": book, "actor": actor, "entity": entity, "command": command, "limit": limit}
    fits = "a.book = b.book"
    fits += "" if actor is None else " AND a.actor = %(actor)s"
    fits += "" if command is None else " AND a.command = %(command)s"
    newest = "ORDER BY at DESC, seq DESC LIMIT %(limit)s"
    if entity is None:
        found_by = f"SELECT * FROM {LIVE}.audit AS a WHERE {fits} {newest}"
    else:
        found_by = _CONCERNED.format(fits=fits, newest=newest)
    # Book by book, since within one book the newest events are at the end of an index.
    query = (
        f"SELECT {_AUDIT} FROM {LIVE}.books AS b CROSS JOIN LATERAL ({found_by}) AS a "
        f"WHERE %(book)s::text IS NULL OR b.book = %(book)s {newest}"
    )
    with session.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query.encode(), given).fetchall()
    return msgspec.convert(found[::-1], list[AuditRow])


_AUDIT = ", ".join(f"a.{field.name}" for field in msgspec.structs.fields(AuditRow))
# An event that moves the account twice is to be found once.
_CONCERNED = (
    f"(SELECT * FROM {LIVE}.audit AS a WHERE {{fits}} AND a.entities @> ARRAY[%(entity)s::text] {{newest}}) "
    f"UNION ALL (SELECT a.* FROM {LIVE}.entries AS e "
    f"JOIN {LIVE}.audit AS a ON a.book = e.book AND a.at = e.at AND a.seq = e.seq "
    "WHERE {fits} AND e.book = b.book AND e.account = %(entity)s AND NOT EXISTS ("
    f"SELECT FROM {LIVE}.entries AS f WHERE f.book = e.book AND f.account = e.account "
    "AND f.booking_date = e.booking_date AND f.seq = e.seq AND f.leg < e.leg) "
    "ORDER BY e.booking_date DESC, e.seq DESC LIMIT %(limit)s)"
)


def outcomes(
    session: Session, command: str, *, book: str | None = None, actor: str | None = None
) -> list[OutcomeRow]:
    """What came of every record with this command id, in the log's order; also where it is only claimed."""
    names = ", ".join(field.name for field in msgspec.structs.fields(OutcomeRow))
    conditions, parameters = "", []
    for column, value in (("book", book), ("actor", actor)):
        if value is not None:
            conditions += f" AND {column} = %s"
            parameters.append(value)
    select = f"SELECT {names} FROM {LIVE}.commands WHERE"
    found = rows(
        session,
        f"SELECT * FROM ({select} command = %s AND command <> ''{conditions} UNION ALL "
        f"{select} claimed = %s AND claimed <> ''{conditions}) AS c ORDER BY at, cause",
        *(command, *parameters, command, *parameters),
    )
    return msgspec.convert(found, list[OutcomeRow])


def trial_balance(session: Session, book: str) -> list[LedgerRow]:
    """The lines of the chart that money has moved on, with a row for each currency."""
    found = rows(
        session,
        f"SELECT t.ledger, c.name, c.kind, t.currency, t.debit, t.credit, t.balance "
        f"FROM {LIVE}.trial_balance AS t JOIN {LIVE}.chart AS c USING (book, ledger) WHERE book = %s "
        "ORDER BY currency, ledger",
        book,
    )
    return msgspec.convert(found, list[LedgerRow])


def business_days(session: Session, book: str) -> list[BusinessDayRow]:
    """The business days of a book, the first one first."""
    names = ", ".join(field.name for field in msgspec.structs.fields(BusinessDayRow))
    found = rows(
        session,
        f"SELECT {names} FROM {LIVE}.business_days WHERE book = %s ORDER BY business_date",
        book,
    )
    return msgspec.convert(found, list[BusinessDayRow])


class _Whole(Loader):
    """Numerics as int: all of ours are sums of minor units."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


def books(session: Session) -> list[str]:
    """The ids of the books of people's, by id; system books are not theirs."""
    found = rows(
        session, f"SELECT book FROM {LIVE}.books WHERE NOT starts_with(book, %s) ORDER BY book", SYSTEM_BOOK
    )
    return [row["book"] for row in found]


def book_now(session: Session, book: str) -> datetime.datetime:
    """What time it is in the book: that of its newest event, or by the wall where its clock is the wall's."""
    query = (
        "SELECT CASE WHEN clock = 'wall' THEN greatest(at, now()) ELSE at END AS at "
        f"FROM {LIVE}.books WHERE book = %s"
    )
    found: datetime.datetime = rows(session, query, book)[0]["at"]
    return found


def digits(session: Session, book: str, currency: str) -> int:
    """How many decimal places a currency, or an asset of the book, has."""
    if currency in EXPONENTS:
        return EXPONENTS[currency]
    found = rows(session, f"SELECT scale FROM {LIVE}.assets WHERE book = %s AND asset = %s", book, currency)
    return int(found[0]["scale"]) if found else 0


def rows(session: Session, query: str, *parameters: Any) -> Sequence[dict[str, Any]]:
    """The rows of a query as dicts; numerics are whole."""
    with session.cursor(row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("numeric", _Whole)
        return cursor.execute(query.encode(), parameters).fetchall()

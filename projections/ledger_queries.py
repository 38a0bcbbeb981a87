"""Questions about the general ledger: balances of any day, trial balances, a line's entries, interest.

Every function takes a session; amounts are minor units, positive is credit.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import msgspec

from projections.answers import By
from projections.database import Session
from projections.layout import LIVE
from projections.queries import rows

Date = datetime.date


class DayRow(msgspec.Struct, frozen=True):
    """A business day on which an account moved."""

    business_date: Date
    opening: int
    debit: int
    credit: int
    closing: int


class TreeRow(msgspec.Struct, frozen=True):
    """A line of the chart with all that is below it, in one currency. level: 0 at the top.

    balance = credit - debit.
    """

    ledger: str
    name: str
    kind: str | None
    side: str
    level: int
    currency: str
    debit: int
    credit: int
    balance: int


class LedgerEntry(msgspec.Struct, frozen=True):
    """A posting on an account below a line."""

    booking_date: Date
    value_date: Date
    seq: int
    leg: int
    account: str
    type: str
    counter_account: str
    reference: str
    amount: int
    currency: str


class GeneralLedger(msgspec.Struct, frozen=True):
    """A line's entries from one booking date to another. opening, closing: by currency.

    opening + the sum of all amounts of a currency = closing.
    """

    ledger: str
    name: str
    opening: dict[str, int]
    entries: list[LedgerEntry]
    closing: dict[str, int]


class PeriodStatement(msgspec.Struct, frozen=True):
    """What an account did between two booking dates, both included. opening + credit - debit = closing.

    interest: booked to it, what it received less what it paid.   fees: charged with movements or each month,
    less what was given back; negative where it paid.
    """

    account: str
    currency: str
    first: Date
    last: Date
    opening: int
    debit: int
    credit: int
    interest: int
    fees: int
    closing: int


class InterestRow(msgspec.Struct, frozen=True):
    """An account's interest. credit, debit: accrued and not booked yet.   paid, charged: booked so far.

    since, through: the first and last day that accrued anything.   terms: of its product, in its currency.
    """

    account: str
    product: str
    currency: str
    booked: int
    opened_on: Date
    since: Date | None
    through: Date | None
    credit: int
    debit: int
    paid: int
    charged: int
    capitalised_through: Date | None
    business_date: Date
    terms: dict[str, Any] | None


def balance_on(session: Session, book: str, account: str, day: Date) -> int:
    """What was booked on the account at the end of any business day."""
    found = rows(
        session,
        f"SELECT closing FROM {LIVE}.daily_balances WHERE book = %s AND account = %s AND business_date <= %s "
        "ORDER BY business_date DESC LIMIT 1",
        *(book, account, day),
    )
    return int(found[0]["closing"]) if found else 0


def daily_balances(
    session: Session, book: str, account: str, first: Date | None = None, last: Date | None = None
) -> list[DayRow]:
    """The days on which the account moved."""
    found = rows(
        session,
        f"SELECT business_date, opening, debit, credit, closing FROM {LIVE}.daily_balances "
        "WHERE book = %s AND account = %s AND business_date BETWEEN %s AND %s ORDER BY business_date",
        *(book, account, first or Date.min, last or Date.max),
    )
    return msgspec.convert(found, list[DayRow])


def trial_balance_on(
    session: Session, book: str, day: Date | None = None, by: By = "booking-date"
) -> list[TreeRow]:
    """The chart as a tree, each line with the sum of those below, at the end of a day; now, if none is given.

    Over the lines at the top, the balances of a currency sum to zero.
    """
    date = "booking_date" if by == "booking-date" else "value_date"
    chart = {
        one["ledger"]: one
        for one in rows(
            session,
            f"SELECT ledger, name, kind, parent, side FROM {LIVE}.chart WHERE book = %s ORDER BY ledger",
            book,
        )
    }
    sums: dict[tuple[str, str], list[int]] = {}
    for one in rows(
        session,
        f"SELECT ledger, currency, sum(debit) AS debit, sum(credit) AS credit FROM {LIVE}.ledger_days "
        f"WHERE book = %s AND {date} <= %s GROUP BY 1, 2",
        *(book, day or Date.max),
    ):
        for line in _up(chart, one["ledger"]):
            total = sums.setdefault((line, one["currency"]), [0, 0])
            total[0] += one["debit"]
            total[1] += one["credit"]
    found = []
    for currency in sorted({currency for _, currency in sums}):
        for line, level in _tree(chart, "", 0):
            if (line, currency) in sums:
                about, (debit, credit) = chart[line], sums[line, currency]
                of = (about["name"], about["kind"], about["side"], level, currency)
                found.append(TreeRow(line, *of, debit, credit, credit - debit))
    return found


def _up(chart: dict[str, Any], line: str) -> Iterable[str]:
    while line:
        yield line
        line = chart[line]["parent"]


def _tree(chart: dict[str, Any], parent: str, level: int) -> Iterable[tuple[str, int]]:
    for line, about in chart.items():
        if about["parent"] == parent:
            yield line, level
            yield from _tree(chart, line, level + 1)


def general_ledger(
    session: Session, book: str, line: str, first: Date | None = None, last: Date | None = None
) -> GeneralLedger | None:
    """The entries of a line and of all below it, None where the chart has no such line. One snapshot."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        below = rows(
            session,
            "WITH RECURSIVE below AS ("
            f"SELECT ledger, name FROM {LIVE}.chart WHERE book = %s AND ledger = %s UNION "
            f"SELECT c.ledger, c.name FROM {LIVE}.chart AS c JOIN below AS b ON c.parent = b.ledger "
            "WHERE c.book = %s) SELECT ledger, name FROM below",
            *(book, line, book),
        )
        if not below:
            return None
        lines = [one["ledger"] for one in below]
        begin, end = first or Date.min, last or Date.max
        names = ", ".join(f"e.{field.name}" for field in msgspec.structs.fields(LedgerEntry))
        entries = rows(
            session,
            f"SELECT {names} FROM {LIVE}.accounts AS a JOIN {LIVE}.entries AS e USING (book, account) "
            "WHERE a.book = %s AND a.ledger = ANY(%s) AND e.booking_date BETWEEN %s AND %s "
            "ORDER BY e.seq, e.leg",
            *(book, lines, begin, end),
        )
        opening = _line_balances(session, book, lines, begin, "<")
        closing = _line_balances(session, book, lines, end, "<=")
    return GeneralLedger(
        line, below[0]["name"], opening, msgspec.convert(entries, list[LedgerEntry]), closing
    )


def _line_balances(session: Session, book: str, lines: list[str], day: Date, upto: str) -> dict[str, int]:
    found = rows(
        session,
        f"SELECT currency, sum(credit - debit) AS balance FROM {LIVE}.ledger_days "
        f"WHERE book = %s AND ledger = ANY(%s) AND booking_date {upto} %s GROUP BY 1 ORDER BY 1",
        *(book, lines, day),
    )
    return {one["currency"]: one["balance"] for one in found}


def period_statement(
    session: Session, book: str, account: str, first: Date, last: Date
) -> PeriodStatement | None:
    """The account's period in figures, None where there is no such account. One snapshot."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder = rows(
            session,
            f"SELECT currency FROM {LIVE}.accounts WHERE book = %s AND account = %s",
            *(book, account),
        )
        if not holder:
            return None
        opening = balance_on(session, book, account, first - datetime.timedelta(1)) if first > Date.min else 0
        days = daily_balances(session, book, account, first, last)
        of = rows(
            session,
            f"WITH own AS (SELECT seq, amount, type FROM {LIVE}.entries "
            "WHERE book = %s AND account = %s AND booking_date BETWEEN %s AND %s), "
            f"fees AS (SELECT seq, returned_seq, amount FROM {LIVE}.fees "
            "WHERE book = %s AND account = %s) SELECT "
            "(SELECT coalesce(sum(amount), 0) FROM own WHERE type = 'InterestCapitalised') AS interest, "
            "(SELECT coalesce(sum(amount), 0) FROM fees WHERE returned_seq IN (SELECT seq FROM own)) - "
            "(SELECT coalesce(sum(amount), 0) FROM fees WHERE seq IN (SELECT seq FROM own)) AS fees",
            *(book, account, first, last, book, account),
        )[0]
    debit, credit = sum(one.debit for one in days), sum(one.credit for one in days)
    return PeriodStatement(
        account,
        holder[0]["currency"],
        first,
        last,
        opening,
        debit,
        credit,
        of["interest"],
        of["fees"],
        opening + credit - debit,
    )


def interest(session: Session, book: str, account: str) -> InterestRow | None:
    """An account's interest, None where there is no such account. terms: those in force now."""
    found = rows(
        session,
        "SELECT a.account, a.product, a.currency, a.booked, i.since, i.through, "
        "(a.opened_at AT TIME ZONE b.time_zone)::date AS opened_on, "
        "coalesce(i.credit, 0) AS credit, coalesce(i.debit, 0) AS debit, coalesce(i.paid, 0) AS paid, "
        "coalesce(i.charged, 0) AS charged, i.capitalised_through, d.business_date, ("
        f"SELECT one FROM {LIVE}.product_interest AS p "
        "LEFT JOIN LATERAL jsonb_array_elements(p.interest) AS one ON one ->> 'currency' = a.currency "
        "WHERE p.book = a.book AND p.product = a.product AND p.effective_from <= b.at "
        "ORDER BY p.version DESC LIMIT 1) AS terms "
        f"FROM {LIVE}.accounts AS a JOIN {LIVE}.books AS b USING (book) "
        f"LEFT JOIN {LIVE}.interest AS i USING (book, account) "
        f"LEFT JOIN {LIVE}.business_days AS d ON d.book = a.book AND d.ended_at IS NULL "
        "WHERE a.book = %s AND a.account = %s",
        *(book, account),
    )
    return msgspec.convert(found[0], InterestRow) if found else None

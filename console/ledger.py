"""The general ledger on the terminal: trial balance, a line's entries, an account's interest."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from book.dates import months_later
from console.choices import date_of, days_of, month_of
from console.options import By
from console.output import Output
from console.read_models import book_session
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from projections import ledger_queries as ask
from projections.ledger_queries import InterestRow
from projections.queries import digits
from schemas.money import format_minor


def day_of(text: str | None) -> datetime.date | None:
    """A day as people write it."""
    return None if text is None else date_of(text)


def trial_balance(
    output: Output, home: Home, settings: Settings, book: str | None, at: str | None, by: By
) -> bool:
    """Show the chart with its balances; False where they do not sum to zero, which verify would explain."""
    with book_session(output, home, settings, book) as (session, name):
        rows = ask.trial_balance_on(session, name, day_of(at), by)
        places = {row.currency: digits(session, name, row.currency) for row in rows}
    totals = {
        currency: sum(row.balance for row in rows if row.level == 0 and row.currency == currency)
        for currency in places
    }
    output.table(
        "",
        ["line", "name", "currency", ">debit", ">credit", ">balance"],
        [
            (
                "  " * row.level + row.ledger,
                row.name,
                row.currency,
                *(format_minor(one, places[row.currency]) for one in (row.debit, row.credit, row.balance)),
            )
            for row in rows
        ],
    )
    for currency, total in totals.items():
        output.say(f"All lines in {currency} sum to {format_minor(total, places[currency])}.")
    for row in rows:
        output.emit(**msgspec.to_builtins(row))
    return not any(totals.values())


def period_statement(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    id: str,
    period: str,
    day: str | None,
) -> bool:
    """Show what an account did in a month, in figures; False where there is no such account.

    day: of another span that was asked for, too, which is wrong use.
    """
    if day is not None:
        raise WrongUse("A period has its first and last day.", "Leave out --from and --to.")
    first = month_of(period)
    last = months_later(first, 1) - datetime.timedelta(1)
    with book_session(output, home, settings, book) as (session, name):
        found = ask.period_statement(session, name, id, first, last)
        if found is None:
            output.fail(f"There is no account {id} in the book {name}.")
            return False
        places = digits(session, name, found.currency)
    output.say(f"{id}, {found.currency}, {first} to {last}, by booking date")
    figures = {
        "opening balance": found.opening,
        "credited": found.credit,
        "debited": -found.debit,
        "of it interest": found.interest,
        "of it fees": found.fees,
        "closing balance": found.closing,
    }
    output.table(
        "", ["", ">amount"], [(what, format_minor(amount, places)) for what, amount in figures.items()]
    )
    output.emit(**msgspec.to_builtins(found))
    return True


def entries(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    line: str,
    first: str | None,
    last: str | None,
) -> bool:
    """Show a line's postings; False where the chart has no such line."""
    days = days_of(first, last)
    with book_session(output, home, settings, book) as (session, name):
        found = ask.general_ledger(session, name, line, *days)
        if found is None:
            output.fail(f"The chart of accounts of {name} has no line {line}.")
            return False
        places = {currency: digits(session, name, currency) for currency in found.closing}
    output.say(f"{line} {found.name}")
    for currency, balance in found.opening.items():
        output.say(f"opening balance: {format_minor(balance, places[currency])} {currency}")
    output.table(
        "",
        ["booked", "value", ">seq", "account", "what", "with", "reference", ">amount", ""],
        [
            (
                one.booking_date.isoformat(),
                one.value_date.isoformat(),
                one.seq,
                one.account,
                one.type,
                one.counter_account,
                one.reference,
                format_minor(one.amount, places[one.currency]),
                one.currency,
            )
            for one in found.entries
        ],
    )
    for currency, balance in found.closing.items():
        output.say(f"closing balance: {format_minor(balance, places[currency])} {currency}")
    output.emit(**msgspec.to_builtins(found))
    return True


def interest(output: Output, home: Home, settings: Settings, book: str | None, id: str) -> bool:
    """Show an account's interest; False where there is no such account."""
    with book_session(output, home, settings, book) as (session, name):
        found = ask.interest(session, name, id)
        if found is None:
            output.fail(f"There is no account {id} in the book {name}.")
            return False
        places = digits(session, name, found.currency)
    following = None if found.terms is None else next_capitalisation(found)
    output.table("", ["", ""], list(_described(found, places, following)))
    output.emit(**msgspec.to_builtins(found), next_capitalisation=following)
    return True


def _described(found: InterestRow, places: int, following: datetime.date | None) -> Iterator[tuple[str, str]]:
    def money(amount: int) -> str:
        return f"{format_minor(amount, places)} {found.currency}"

    yield "account", found.account
    yield "product", found.product or "none"
    if found.terms is None:
        yield "interest", "none"
    for name in ("credit", "debit"):
        side = found.terms[name] if found.terms is not None else None
        if side is not None:
            yield f"{name} interest", _rates(side, places, found.currency)
    if found.terms is not None:
        yield "day count", found.terms["day_count"]
    if found.since is not None:
        yield "accrued since", found.since.isoformat()
        yield "accrued through", str(found.through)
        yield "to be received", money(found.credit)
        yield "to be paid", money(found.debit)
        yield "received so far", money(found.paid)
        yield "paid so far", money(found.charged)
    if following is not None:
        calendar = found.terms["calendar"] if found.terms is not None else None
        moved = f", moved by the calendar {calendar}" if calendar else ""
        yield "booked next", f"with the interest of {following}, on the day after{moved}"


def _rates(side: dict[str, Any], places: int, currency: str) -> str:
    """`1.25 %, from 1000.00 EUR 1.5 %`."""
    steps = []
    for tier in side["tiers"]:
        floor = tier["from_minor"]
        begins = f"from {format_minor(floor, places)} {currency} " if floor else ""
        steps.append(f"{begins}{(Decimal(tier['rate']) * 100).normalize():f} %")
    return ", ".join(steps) + (" of all of it" if side["method"] == "whole" and len(steps) > 1 else "")


def next_capitalisation(found: InterestRow) -> datetime.date | None:
    """The last day of the account's period: its interest is the last that is booked then."""
    assert found.terms is not None, "only interest has a schedule"
    today, day = found.business_date, found.business_date
    match found.terms["capitalised"]:
        case "at_maturity":
            day = months_later(found.opened_on, found.terms["term_months"]) - datetime.timedelta(1)
            return day if day >= today else None
        case "yearly":
            day = day.replace(month=12)
        case "quarterly":
            day = months_later(day.replace(day=1), -day.month % 3)
        case _:
            pass
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])

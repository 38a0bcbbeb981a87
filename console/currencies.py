"""Foreign exchange and value dates on the terminal: rates, quotes, exchanges, positions, what waits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from console.output import Output
from console.read_models import book_session, read_models
from console.sending import send
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from projections import currencies_queries as queries
from projections.database import Session, connect
from projections.queries import account as find_account
from projections.queries import digits
from schemas.exchange import Exchange, RequestQuote
from schemas.money import format_minor, parse_minor


def rates(output: Output, home: Home, settings: Settings, book: str | None, table: str | None) -> bool:
    """Show the tables in force; False where there is none of that name."""
    with book_session(output, home, settings, book) as (session, name):
        found = [one for one in queries.tables(session, name) if table in (None, one.document)]
        if not found:
            output.fail(f"The book {name} has no table of rates {table or 'in force'}.")
            return False
        lines = {
            one.document: [_pair(session, name, one.body, pair) for pair in one.body["pairs"]]
            for one in found
        }
    for one in found:
        output.table(
            f"rates/{one.document}@{one.version}, as of {one.body['as_of']}",
            ["pair", ">the bank buys at", ">mid", ">it sells at", "at least"],
            lines[one.document],
        )
        output.emit(**msgspec.to_builtins(one))
    return True


def _pair(session: Session, book: str, body: dict[str, Any], pair: dict[str, Any]) -> tuple[str, ...]:
    mid, margin, places = Decimal(pair["mid"]), pair["margin"], Decimal(1).scaleb(-body["scale"])
    least = ", ".join(
        f"{format_minor(amount, digits(session, book, currency))} {currency}"
        for currency, amount in pair["minimum"].items()
    )
    return (
        f"{pair['base']}/{pair['quote']}",
        str((mid * (1 - Decimal(margin["buy"]))).quantize(places)),
        pair["mid"],
        str((mid * (1 + Decimal(margin["sell"]))).quantize(places)),
        least,
    )


def quote(
    output: Output,
    home: Home,
    settings: Settings,
    /,
    book: str | None,
    quote_id: str,
    currencies: tuple[str, str],
    amount: str,
    *,
    buying: bool,
    named: str | None,
    **fields: str,
) -> bool:
    """Ask for a quote and show it."""
    sell, buy = currencies
    with book_session(output, home, settings, book) as (session, name):
        side = _side(session, name, buy if buying else sell, amount, buying=buying)
    outcome = send(
        output,
        home,
        settings,
        RequestQuote,
        named,
        name,
        quote=quote_id,
        sell=sell,
        buy=buy,
        **side,
        **fields,
    )
    if outcome.rejected:
        return False
    with read_models(output, home, settings) as database, connect(database.dsn) as session:
        given = next((one for one in queries.open_quotes(session, name) if one.quote == quote_id), None)
        if given is not None:
            output.table(
                "",
                ["", ""],
                [
                    ("rate", str(given.rate)),
                    ("you give", f"{format_minor(given.sell_amount, digits(session, name, sell))} {sell}"),
                    ("you get", f"{format_minor(given.buy_amount, digits(session, name, buy))} {buy}"),
                    ("until", given.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
                ],
            )
            output.emit(**msgspec.to_builtins(given))
    return True


def exchange(
    output: Output,
    home: Home,
    settings: Settings,
    /,
    book: str | None,
    accounts: tuple[str, str],
    amount: str | None,
    *,
    buying: bool,
    named: str | None,
    **fields: str,
) -> bool:
    """Exchange at a quote or at the rate of now."""
    debit, credit = accounts
    with book_session(output, home, settings, book) as (session, name):
        side: dict[str, int] = {}
        if amount is not None:
            found = find_account(session, name, credit if buying else debit)
            if found is None:
                raise WrongUse(f"The book {name} has no account {credit if buying else debit}.", "Name one.")
            side = _side(session, name, found.currency, amount, buying=buying)
    outcome = send(
        output, home, settings, Exchange, named, name, debit=debit, credit=credit, **side, **fields
    )
    return not outcome.rejected


def _side(session: Session, book: str, currency: str, amount: str, *, buying: bool) -> dict[str, int]:
    try:
        minor = parse_minor(amount, digits(session, book, currency))
    except ValueError as error:
        raise WrongUse(f"{error}.", "Write it like 100.00.") from None
    return {"buy_amount" if buying else "sell_amount": minor}


def positions(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """Show the positions."""
    with book_session(output, home, settings, book) as (session, name):
        found = queries.positions(session, name)
        own = digits(session, name, queries.currency_of(session, name))
        lines = [
            (
                one.account,
                one.currency,
                format_minor(one.amount, digits(session, name, one.currency)),
                format_minor(one.cost, own),
                "" if one.valued_on is None else one.valued_on.isoformat(),
                "" if one.value is None else format_minor(one.value, own),
                "" if one.unrealised is None else format_minor(int(one.unrealised), own),
                format_minor(one.realised, own),
            )
            for one in found
        ]
    columns = ["account", "currency", ">held", ">cost", "valued", ">value", ">unrealised", ">realised"]
    output.table("", columns, lines)
    if not found:
        output.say("Nothing has been exchanged.")
    for one in found:
        output.emit(**msgspec.to_builtins(one))


def deferred(output: Output, home: Home, settings: Settings, book: str | None, account: str | None) -> None:
    """Show what waits for its value date."""
    with book_session(output, home, settings, book) as (session, name):
        found = queries.deferred(session, name, account)
        places = {one.currency: digits(session, name, one.currency) for one in found}
    output.table(
        "",
        ["value", "booked", "account", ">waits", "", ">transfer"],
        [
            (
                one.value_date.isoformat(),
                one.booking_date.isoformat(),
                one.account,
                format_minor(one.waiting, places[one.currency]),
                one.currency,
                one.transfer,
            )
            for one in found
        ],
    )
    if not found:
        output.say("Nothing waits for its value date.")
    for one in found:
        output.emit(**msgspec.to_builtins(one))

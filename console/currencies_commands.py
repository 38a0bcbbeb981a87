"""The subcommands of foreign exchange and value dates. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

Amount = Annotated[str, typer.Argument(help="How much is sold: 100.00.")]
Buying = Annotated[bool, typer.Option("--buying", help="The amount is what is bought.")]
Table = Annotated[str, typer.Option("--table", help="The table of rates; not needed where there is one.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (rates, quote, exchange, positions, deferred):
        app.command()(command)


def rates(
    table: Annotated[str | None, typer.Argument(help="Only this table.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The exchange rates in force: at what the bank buys and sells."""
    from console import currencies as work

    raise typer.Exit(DONE if in_home(work.rates, json, home, book, table) else CHECK_FAILED)


def quote(
    id: Annotated[str, typer.Argument(help="A new id for the quote.")],
    sell: Annotated[str, typer.Argument(help="The currency that the customer gives.")],
    buy: Annotated[str, typer.Argument(help="The currency that the customer gets.")],
    amount: Amount,
    buying: Buying = False,
    party: Annotated[str, typer.Option(help="Whose quote it is.")] = "",
    debit: Annotated[str, typer.Option(help="The account that will pay.")] = "",
    credit: Annotated[str, typer.Option(help="The account that will be paid.")] = "",
    table: Table = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Ask for a rate that holds for a while; `exchange --quote ID` uses it, once."""
    from console import currencies as work

    accepted = in_home(
        work.quote,
        json,
        home,
        book,
        id,
        (sell, buy),
        amount,
        buying=buying,
        named=as_user,
        party=party,
        debit=debit,
        credit=credit,
        table=table,
    )
    raise typer.Exit(DONE if accepted else SOME_REJECTED)


def exchange(
    debit: Annotated[str, typer.Argument(help="The account that pays.")],
    credit: Annotated[str, typer.Argument(help="The account that is paid.")],
    amount: Annotated[str | None, typer.Argument(help="How much is sold; not needed with a quote.")] = None,
    buying: Buying = False,
    quote: Annotated[str, typer.Option(help="At this quote, not at the rate of now.")] = "",
    table: Table = "",
    reference: Annotated[str, typer.Option(help="What stands on the statement.")] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Exchange money between two accounts of one party."""
    from console import currencies as work

    accepted = in_home(
        work.exchange,
        json,
        home,
        book,
        (debit, credit),
        amount,
        buying=buying,
        named=as_user,
        quote=quote,
        table=table,
        reference=reference,
    )
    raise typer.Exit(DONE if accepted else SOME_REJECTED)


def positions(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """What the bank holds of each currency, what that cost, and what it was worth when last valued."""
    from console import currencies as work

    in_home(work.positions, json, home, book)


def deferred(
    account: Annotated[str | None, typer.Argument(help="Only this account.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What was credited with a value date ahead, and cannot be spent yet."""
    from console import currencies as work

    in_home(work.deferred, json, home, book, account)

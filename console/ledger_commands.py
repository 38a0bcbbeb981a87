"""The subcommands of the general ledger. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import AccountId, BookOption, By, HomeOption, Json
from console.start import in_home

_DAY = "YYYY-MM-DD."


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(trial_balance)
    app.command("ledger")(entries)
    app.command()(interest)


def trial_balance(
    at: Annotated[str | None, typer.Option("--at", help=f"At the end of this day, {_DAY}")] = None,
    by: Annotated[By, typer.Option(help="Which date a posting counts from.")] = "booking-date",
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The chart of accounts as a tree, each line with the sum of those below; sums to zero per currency."""
    from console import ledger

    raise typer.Exit(DONE if in_home(ledger.trial_balance, json, home, book, at, by) else CHECK_FAILED)


def entries(
    line: Annotated[str, typer.Argument(help="A line of the chart of accounts.")],
    first: Annotated[str | None, typer.Option("--from", help=f"First booking date, {_DAY}")] = None,
    last: Annotated[str | None, typer.Option("--to", help=f"Last booking date, {_DAY}")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """A line of the general ledger: the postings on all accounts below it, between two balances."""
    from console import ledger

    found = in_home(ledger.entries, json, home, book, line, first, last)
    raise typer.Exit(DONE if found else CHECK_FAILED)


def interest(id: AccountId, book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """An account's interest: accrued so far and since when, at which rate, and when it is booked next."""
    from console import ledger

    raise typer.Exit(DONE if in_home(ledger.interest, json, home, book, id) else CHECK_FAILED)

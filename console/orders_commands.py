"""The subcommands of orders, bulks and suspense. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import BookOption, HomeOption, Json
from console.start import in_home


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(orders)
    app.command()(bulk)
    app.command()(suspense)


def orders(
    account: Annotated[
        str | None, typer.Argument(help="Also those that are over, of this account.", metavar="ACCOUNT")
    ] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Scheduled payments and standing orders, with their next run."""
    from console import orders as work

    in_home(work.orders, json, home, book, account)


def bulk(
    id: Annotated[str, typer.Argument(help="The bulk.", metavar="ID")],
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """A bulk, and what became of each of its instructions."""
    from console import orders as work

    raise typer.Exit(DONE if in_home(work.bulk, json, home, book, id) else CHECK_FAILED)


def suspense(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """What has come in and could not be credited: why, who looks after it, and how old it is."""
    from console import orders as work

    in_home(work.suspense, json, home, book)

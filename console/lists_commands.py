"""`daybook lists ...`: for risk staff. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

Name = Annotated[str, typer.Argument(help="The list's id.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    lists = typer.Typer(
        help="Allow, block and watch lists that rules ask for.",
        no_args_is_help=True,
    )
    lists.command("list")(list_)
    lists.command()(show)
    lists.command()(change)
    app.add_typer(lists, name="lists")


def list_(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """The lists in force: of what, for what, how many stand on them, and how many have ended."""
    from console import lists as work

    in_home(work.list_lists, json, home, book)


def show(
    name: Name,
    of: Annotated[
        str | None, typer.Option(help="Whether this one stands on it: an id, or a payee's account.")
    ] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Who stands on a list, until when, and why."""
    from console import lists as work

    raise typer.Exit(DONE if in_home(work.show, json, home, name, of, book) else CHECK_FAILED)


def change(
    name: Name,
    file: Annotated[Path, typer.Argument(help="CSV: action (add, remove), entry, until, note.")],
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make the next version of a list from a file of additions and removals: all of them, or none."""
    from console import lists as work

    done = in_home(work.change, json, home, name, file, book, named=as_user, check=check)
    raise typer.Exit(DONE if done else SOME_REJECTED)

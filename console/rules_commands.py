"""`daybook rules ...`: for risk staff. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import BookOption, HomeOption, Json
from console.start import in_home

Name = Annotated[str, typer.Argument(help="A payment, a command, or # and the seq of a transfer's event.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    rules = typer.Typer(
        help="Rules: which there are, what they said of a movement, how often they apply.",
        no_args_is_help=True,
    )
    rules.command()(explain)
    app.add_typer(rules, name="rules")


def explain(
    name: Name,
    every: Annotated[bool, typer.Option("--all", help="Also the rules that did not apply.")] = False,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The waterfall of a movement: values, the account's norm, rules, points, thresholds, verdict."""
    from console import rules as work

    same = in_home(work.explain, json, home, name, book, every=every)
    raise typer.Exit(DONE if same else CHECK_FAILED)

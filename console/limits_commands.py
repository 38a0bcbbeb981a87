"""`daybook limits`."""

from __future__ import annotations

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import AccountId, BookOption, HomeOption, Json
from console.start import in_home


def register(app: typer.Typer) -> None:
    """Add it to the command line."""
    app.command()(limits)


def limits(id: AccountId, book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """An account's limits: what is used, reserved and left of each, when that resets; and its newest fees."""
    from console import limits as view  # noqa: PLC0415 - as in daybook.py

    raise typer.Exit(DONE if in_home(view.limits, json, home, book, id) else CHECK_FAILED)

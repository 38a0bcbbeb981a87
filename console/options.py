"""The options that subcommands share, and what they may be set to. Light, since every start imports it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

StoredLog = Literal["sqlite", "postgres", "kafka"]
LogKind = Literal["sqlite", "postgres", "kafka", "memory"]
Clock = Literal["wall", "commanded"]
By = Literal["booking-date", "value-date"]

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]
AccountId = Annotated[str, typer.Argument(help="The account.")]
BookOption = Annotated[
    str | None, typer.Option("--book", help="The book; not needed where there is only one.")
]
AsUser = Annotated[
    str | None,
    typer.Option("--as", help="The user to act as, by its credential; the home's administrator if left out."),
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The home's folder; the nearest .daybook upwards if left out.")
]

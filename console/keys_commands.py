"""`daybook key`."""

# ruff: noqa: PLC0415 - as in daybook.py

from __future__ import annotations

from typing import Annotated

import typer

from console.options import HomeOption, Json
from console.start import in_home


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    keys = typer.Typer(help="The keys by which systems prove who they are.", no_args_is_help=True)
    keys.command("add")(add)
    keys.command("list")(show)
    keys.command("remove")(remove)
    app.add_typer(keys, name="key")


def add(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="The actor it speaks as.")],
    gateway: Annotated[
        bool, typer.Option("--gateway", help="It speaks for people that it has authenticated, instead.")
    ] = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make a key; its secret is shown once. One that the system has already counts on."""
    from console import keys

    in_home(keys.add, json, home, name, gateway=gateway)


def show(home: HomeOption = None, json: Json = False) -> None:
    """Whose keys there are; no secret."""
    from console import keys

    in_home(keys.show, json, home)


def remove(
    key: Annotated[str, typer.Argument(help="The key's id, as `list` shows it.")],
    last: Annotated[bool, typer.Option("--last", help="Also where the system has no other.")] = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """End a key: from now on it proves nothing."""
    from console import keys

    in_home(keys.remove, json, home, key, last=last)

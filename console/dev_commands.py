"""`daybook dev`: what is for trying things out, and never for a bank."""

# ruff: noqa: PLC0415 - as in daybook.py

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.options import Json
from console.start import output_to

FOLDER = Path(".daybook-kafka")


def register(app: typer.Typer) -> None:
    """Add it to the command line."""
    dev = typer.Typer(help="For trying things out.", no_args_is_help=True)
    dev.callback()(lambda: None)  # so that the only subcommand keeps its name
    dev.command()(kafka)
    app.add_typer(dev, name="dev")


def kafka(
    nodes: Annotated[int, typer.Option(min=1, max=3, help="Brokers; 3 can lose one.")] = 1,
    port: Annotated[int, typer.Option(min=0, max=65_000, help="Of the first; any that is free if 0.")] = 0,
    folder: Annotated[Path, typer.Option(help="Where its data is kept; remove it to begin anew.")] = FOLDER,
    json: Json = False,
) -> None:
    """A Kafka of your own, the real one, on this machine only, until Ctrl-C."""
    from console import dev

    raise typer.Exit(dev.kafka(output_to(json), nodes, port, folder))

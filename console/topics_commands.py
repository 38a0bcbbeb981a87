"""`daybook topics`."""

# ruff: noqa: PLC0415 - as in daybook.py

from __future__ import annotations

from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE
from console.options import HomeOption, Json
from console.start import output_to, settings_for

Partitions = Annotated[
    int | None,
    typer.Option(min=1, max=10_000, help="How many; as the home records it, or 32, if left out."),
]
Replication = Annotated[
    int | None, typer.Option(min=1, max=32, help="On how many brokers each is kept; 3 if left out.")
]
Stream = Annotated[bool, typer.Option("--stream", help="Also those of the stream workers.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    topics = typer.Typer(help="The topics of a site in Kafka.", no_args_is_help=True)
    topics.command()(create)
    topics.command()(check)
    app.add_typer(topics, name="topics")


def create(
    partitions: Partitions = None,
    replication: Replication = None,
    stream: Stream = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make the topics that are missing, with the settings that they need; then check all of them."""
    from console import topics

    ok = topics.make(output_to(json), settings_for(home), partitions, replication, stream=stream)
    raise typer.Exit(DONE if ok else CHECK_FAILED)


def check(
    partitions: Partitions = None, stream: Stream = False, home: HomeOption = None, json: Json = False
) -> None:
    """Whether the topics lose or double nothing; each wrong setting with why it matters and what mends it."""
    from console import topics

    ok = topics.look(output_to(json), settings_for(home), partitions, stream=stream)
    raise typer.Exit(DONE if ok else CHECK_FAILED)

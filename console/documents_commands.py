"""`daybook documents ...` and `daybook what-if`. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home, output_to, settings_for

documents = typer.Typer(
    help="Products, tariffs, limits, policies...: check, compare, publish, look up.", no_args_is_help=True
)

Files = Annotated[list[Path], typer.Argument(help="YAML or JSON; several documents between ---.")]
Name = Annotated[str, typer.Argument(help="KIND/ID, or KIND/ID@VERSION.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.add_typer(documents, name="documents")
    app.command("what-if")(what_if)


@documents.command("check")
def check(
    files: Files,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only the documents themselves, also where there is a home.")
    ] = False,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What is wrong with documents: by themselves, and where there is a book, with what they name."""
    from console import documents as work

    ok = work.check(output_to(json), settings_for(home), files, book, offline=offline, named=home is not None)
    raise typer.Exit(DONE if ok else CHECK_FAILED)


@documents.command("diff")
def diff(
    one: Annotated[str, typer.Argument(help="A file, or KIND/ID@VERSION.")],
    other: Annotated[
        str | None, typer.Argument(help="KIND/ID@VERSION; for a file, what is in force if left out.")
    ] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What differs between a file and what is published, or between two versions."""
    from console import documents as work

    in_home(work.diff, json, home, one, other, book)


@documents.command("publish")
def publish(
    files: Files,
    effective: Annotated[
        str | None,
        typer.Option(help="From when: 2026-03-01 or 2026-03-01T08:00 in the book's zone; now if left out."),
    ] = None,
    proof: Annotated[
        str, typer.Option(help="The digest of a what-if with these documents, for whoever approves them.")
    ] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Publish documents; where policy asks for it, they wait for approval."""
    from console import publishing

    rejected = in_home(publishing.publish, json, home, files, effective, proof, as_user, book)
    raise typer.Exit(SOME_REJECTED if rejected else DONE)


@documents.command("history")
def history(
    name: Annotated[str | None, typer.Argument(help="KIND or KIND/ID; all documents if left out.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The versions of documents: when, by whom, approved by whom, from when, and what became of them."""
    from console import documents as work

    raise typer.Exit(DONE if in_home(work.history, json, home, name, book) else CHECK_FAILED)


@documents.command("show")
def show(name: Name, book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """A document whole, as a file that can be changed and published again."""
    from console import documents as work

    raise typer.Exit(DONE if in_home(work.show, json, home, name, book) else CHECK_FAILED)


def what_if(
    files: Files,
    first: Annotated[str, typer.Option("--from", help="From then on: a date or time of the book's zone.")],
    last: Annotated[
        str | None, typer.Option("--to", help="Up to then, a date included; now if left out.")
    ] = None,
    examples: Annotated[int, typer.Option(min=0, max=1_000, help="How many examples.")] = 5,
    capacity: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Reviews that the team can do in a day; else as rules say."),
    ] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What would have been different with these documents: fees, refusals, approvals, verdicts of rules.

    Writes nothing. Its last line is a digest that `documents publish --proof` takes.
    """
    from console import what_if as work

    ok = in_home(work.what_if, json, home, files, first, last, examples, capacity, book)
    raise typer.Exit(DONE if ok else CHECK_FAILED)

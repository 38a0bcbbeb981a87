"""`daybook cases`: reading and working them. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console import case_decision_commands, case_papers_commands, case_work_commands
from console.case_options import CaseId, Kinds
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

cases = typer.Typer(help="Cases: what people look into, who does, and what they find.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add them, and those of the other modules, to the command line."""
    for module in (case_work_commands, case_decision_commands, case_papers_commands):
        cases.add_typer(module.commands)
    app.add_typer(cases, name="cases")


@cases.command()
def queue(
    mine: Annotated[bool, typer.Option("--mine", help="Only what the acting user has.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is closed.")] = False,
    kind: Kinds = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The queue in the order in which cases are taken, then what is being worked."""
    from console import cases as work

    in_home(
        work.queue,
        json,
        home,
        book,
        named=as_user,
        mine=mine,
        everything=everything,
        kinds=kind or (),
        limit=limit,
    )


@cases.command()
def show(
    case: CaseId, as_user: AsUser = None, book: BookOption = None, home: HomeOption = None, json: Json = False
) -> None:
    """A case: what it is about, its alerts and checklist, and what was done."""
    from console import cases as work

    in_home(work.show, json, home, book, case, as_user)


@cases.command()
def workload(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """Who has how many cases, and how many they can have."""
    from console import case_tables as work

    in_home(work.workload, json, home, book)


@cases.command()
def ageing(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """How old the open cases are, and what their clocks say."""
    from console import case_tables as work

    in_home(work.ageing, json, home, book)


@cases.command()
def outcomes(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """How often each rule and typology was right, by what cases have found."""
    from console import case_tables as work

    in_home(work.outcomes, json, home, book)


@cases.command()
def labels(book: BookOption = None, home: HomeOption = None, json: Json = False) -> None:
    """What was found of each alert and payment: the labels that what-if and models learn from."""
    from console import case_tables as work

    in_home(work.labels, json, home, book)


@cases.command()
def sample(
    as_user: AsUser = None, book: BookOption = None, home: HomeOption = None, json: Json = False
) -> None:
    """Closed cases that are drawn for a second look, and what the looks before have found."""
    from console import case_tables as work

    in_home(work.sample, json, home, book, as_user)


@cases.command()
def reports(
    as_user: AsUser = None, book: BookOption = None, home: HomeOption = None, json: Json = False
) -> None:
    """The reports that are to be filed with the authority, the next first."""
    from console import case_tables as work

    in_home(work.reports, json, home, book, as_user)

"""`daybook cases`: what was found, what is done, and the second look. Thin; the work is imported late."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.case_options import Because, CaseId, Found, Label, Names, status
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

commands = typer.Typer()


@commands.command()
def propose(
    case: CaseId,
    label: Annotated[Label, typer.Argument(help="What was found.")],
    because: Because,
    release: Annotated[Names, typer.Option(help="Let this payment go; may be given again.")] = None,
    decline: Annotated[Names, typer.Option(help="Decline this payment; may be given again.")] = None,
    block_account: Annotated[Names, typer.Option(help="Block this account; may be given again.")] = None,
    block_party: Annotated[Names, typer.Option(help="Block this party; may be given again.")] = None,
    report: Annotated[bool, typer.Option("--report", help="A report is to be filed.")] = False,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say what was found, and what is to be done: it closes the case, or waits for a second person."""
    from console import case_work as work

    acts = [
        *(("release", one) for one in release or ()),
        *(("decline", one) for one in decline or ()),
        *(("block_account", one) for one in block_account or ()),
        *(("block_party", one) for one in block_party or ()),
        *([("file_report", "")] if report else ()),
    ]
    done = in_home(
        work.propose, json, home, book, case, named=as_user, label=label, reason=because, acts=acts
    )
    raise typer.Exit(status(done))


@commands.command()
def confirm(
    case: CaseId,
    shown: Annotated[int | None, typer.Option(help="Only if this is still the event that proposes.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Agree, as another person, with what is proposed: it is shown, done, and the case closed."""
    from console import case_work as work

    raise typer.Exit(status(in_home(work.confirm, json, home, book, case, named=as_user, shown=shown)))


@commands.command()
def refuse(
    case: CaseId,
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Disagree with what is proposed, or take back your own."""
    from console import case_work as work

    raise typer.Exit(status(in_home(work.refuse, json, home, book, case, named=as_user, reason=because)))


@commands.command()
def reopen(
    case: CaseId,
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Put a closed case back into the queue."""
    from console import case_work as work
    from schemas.case_commands import ReopenCase

    done = in_home(work.about, json, home, book, as_user, ReopenCase, case, reason=because)
    raise typer.Exit(status(done))


@commands.command()
def merge(
    case: CaseId,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The case that it goes into.")],
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Close a case as a duplicate of another, which has its alerts from then on."""
    from console import case_work as work

    done = in_home(work.merge, json, home, book, case, named=as_user, into=into, reason=because)
    raise typer.Exit(status(done))


@commands.command("second-look")
def second_look(
    case: CaseId,
    found: Annotated[Found, typer.Argument(help="What the second look found.")],
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say what a second look at a closed case has found; `overturned` reopens it."""
    from console import case_work as work
    from schemas.case_work import ReviewQuality

    fields = {"found": found, "finding": because}
    done = in_home(work.about, json, home, book, as_user, ReviewQuality, case, **fields)
    raise typer.Exit(status(done))

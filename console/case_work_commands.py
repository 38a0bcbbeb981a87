"""`daybook cases`: who has a case, and what is done about it meanwhile. Thin; the work is imported late."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated

import typer

from console.case_options import Because, CaseId, Kind, Kinds, Names, status
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

commands = typer.Typer()


@commands.command("open")
def open_(
    case: Annotated[str, typer.Argument(metavar="CASE", help="A new id for it.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What kind of case it is.")],
    title: Annotated[str, typer.Option(help="What it is about, in a few words.")],
    party: Annotated[str, typer.Option(help="The party whom it is about.")] = "",
    account: Annotated[Names, typer.Option(help="An account that it concerns; may be given again.")] = None,
    payment: Annotated[Names, typer.Option(help="A payment that it concerns; may be given again.")] = None,
    keep_to: Annotated[Names, typer.Option(help="Only this user may know of it; may be given again.")] = None,
    skill: Annotated[str, typer.Option(help="What whoever works it must know.")] = "",
    priority: Annotated[int, typer.Option(min=0, help="The higher the sooner.")] = 0,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Open a case by hand."""
    from console import case_work as work

    fields: dict[str, object] = {
        "kind": kind,
        "title": title,
        "party": party,
        "accounts": tuple(account or ()),
        "payments": tuple(payment or ()),
        "people": tuple(keep_to or ()),
        "skill": skill,
        "priority": priority,
    }
    raise typer.Exit(status(in_home(work.open_case, json, home, book, case, named=as_user, fields=fields)))


@commands.command()
def take(
    kind: Kinds = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Take the case that is next for you, and show it."""
    from console import case_work as work

    raise typer.Exit(status(in_home(work.take, json, home, book, named=as_user, kinds=kind or ())))


@commands.command()
def assign(
    case: CaseId,
    to: Annotated[str, typer.Option(help="The user; who fits best by policy if left out.")] = "",
    note: Annotated[str, typer.Option(help="For them; it is kept.")] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Give a case to somebody."""
    from console import case_work as work
    from schemas.case_commands import AssignCase

    done = in_home(work.about, json, home, book, as_user, AssignCase, case, to=to, note=note)
    raise typer.Exit(status(done))


@commands.command("hand-over")
def hand_over(
    case: CaseId,
    note: Annotated[str, typer.Option(help="For whoever has it next; it is kept.")],
    to: Annotated[str, typer.Option(help="The user; back into the queue if left out.")] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Give away a case that you have."""
    from console import case_work as work
    from schemas.case_commands import HandOverCase

    done = in_home(work.about, json, home, book, as_user, HandOverCase, case, to=to, note=note)
    raise typer.Exit(status(done))


@commands.command()
def note(
    case: CaseId,
    text: Annotated[str, typer.Argument(help="What is to be kept.")],
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Write something down about a case."""
    from console import case_work as work
    from schemas.case_work import AddCaseNote

    done = in_home(work.about, json, home, book, as_user, AddCaseNote, case, text=text)
    raise typer.Exit(status(done))


@commands.command()
def check(
    case: CaseId,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="What on the checklist.")],
    note: Annotated[str, typer.Option(help="What came of it; it is kept.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="It is not done after all.")] = False,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Tick something off a case's checklist."""
    from console import case_work as work
    from schemas.case_work import TickItem

    fields: dict[str, object] = {"item": item, "note": note, "done": not undo}
    done = in_home(work.about, json, home, book, as_user, TickItem, case, **fields)
    raise typer.Exit(status(done))


@commands.command()
def link(
    case: CaseId,
    party: Annotated[Names, typer.Option(help="A party; may be given again.")] = None,
    account: Annotated[Names, typer.Option(help="An account; may be given again.")] = None,
    payment: Annotated[Names, typer.Option(help="A payment; may be given again.")] = None,
    other: Annotated[Names, typer.Option("--case", help="Another case; may be given again.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say what else a case concerns."""
    from console import case_work as work
    from schemas.case_work import LinkToCase

    given = {"parties": party, "accounts": account, "payments": payment, "cases": other}
    to = {name: tuple(value or ()) for name, value in given.items()}
    raise typer.Exit(status(in_home(work.about, json, home, book, as_user, LinkToCase, case, **to)))


@commands.command()
def pause(
    case: CaseId,
    because: Because,
    until: Annotated[str | None, typer.Option(help="Goes on by itself then: 2026-01-31T12:00:00Z.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Wait for something from outside; the case's clock stands still."""
    from console import case_work as work

    done = in_home(work.pause, json, home, book, case, named=as_user, reason=because, until=until)
    raise typer.Exit(status(done))


@commands.command()
def resume(
    case: CaseId, as_user: AsUser = None, book: BookOption = None, home: HomeOption = None, json: Json = False
) -> None:
    """Go on with a case that waits."""
    from console import case_work as work
    from schemas.case_work import ResumeCase

    raise typer.Exit(status(in_home(work.about, json, home, book, as_user, ResumeCase, case)))


@commands.command()
def escalate(
    case: CaseId,
    priority: Annotated[int, typer.Option(min=0, help="Its priority from now on.")],
    because: Because,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make a case more urgent, or less."""
    from console import case_work as work
    from schemas.case_work import PrioritiseCase

    fields: dict[str, object] = {"priority": priority, "reason": because}
    done = in_home(work.about, json, home, book, as_user, PrioritiseCase, case, **fields)
    raise typer.Exit(status(done))


@commands.command("keep-to")
def keep(
    case: CaseId,
    users: Annotated[Names, typer.Argument(help="Who may know of it; everybody if left out.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Keep a case to some people; nobody else knows that it is there."""
    from console import case_work as work
    from schemas.case_work import RestrictCase

    people = tuple(users or ())
    raise typer.Exit(
        status(in_home(work.about, json, home, book, as_user, RestrictCase, case, people=people))
    )

"""The subcommands of approvals and of access. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.ending import CHECK_FAILED, DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

ApprovalId = Annotated[
    int, typer.Argument(min=1, metavar="ID", help="The approval: see `daybook approvals`.")
]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]

access = typer.Typer(help="Who may do what, now or at a time.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(approvals)
    app.command()(approve)
    app.command()(decline)
    app.command()(withdraw)
    app.add_typer(access, name="access")


def approvals(
    mine: Annotated[bool, typer.Option("--mine", help="Only what the acting user may decide on.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is decided.")] = False,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What waits for approval: what it is, who made it, who may still act."""
    from console import approvals as work

    in_home(work.approvals, json, home, book, named=as_user, mine=mine, everything=everything)


def approve(
    id: ApprovalId,
    shown: Annotated[str | None, typer.Option(help="Only if this is still the digest of what waits.")] = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say yes to what waits: it is shown, and exactly that is approved."""
    from console import approvals as work

    found = in_home(work.approve, json, home, book, id, named=as_user, shown=shown)
    raise typer.Exit(_status(found))


def decline(
    id: ApprovalId,
    reason: Reason,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say no to what waits; that is the end of it."""
    from console import approvals as work

    raise typer.Exit(_status(in_home(work.decline, json, home, book, id, named=as_user, reason=reason)))


def withdraw(
    id: ApprovalId,
    reason: Reason = "withdrawn",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Take back, as its maker, what waits."""
    from console import approvals as work

    raise typer.Exit(_status(in_home(work.withdraw, json, home, book, id, named=as_user, reason=reason)))


@access.callback()
def access_then(
    context: typer.Context,
    at: Annotated[str | None, typer.Option(help="As it was at this time: 2026-01-31T12:00:00Z.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Only this user or system.")] = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Who could do what at a time, who stood in for whom, and what was done by override until then."""
    if context.invoked_subcommand is not None:
        return
    from console import access as work

    found = in_home(work.access, json, home, book, at=at, user=user)
    raise typer.Exit(DONE if found else CHECK_FAILED)


@access.command()
def credential(
    user: Annotated[str, typer.Argument(help="The user who will speak by it.")],
    out: Annotated[Path | None, typer.Option(help="Write it there instead of printing it.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make a new credential for a user. Where it has one, that is asked for."""
    from console import access as work

    in_home(work.credential, json, home, user, out)


def _status(accepted: bool | None) -> int:
    if accepted is None:
        return CHECK_FAILED
    return DONE if accepted else SOME_REJECTED

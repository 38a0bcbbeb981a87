"""`daybook flags ...`: for risk staff. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated, Literal

import typer

from console.ending import DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

Subject = Annotated[
    Literal["party", "account", "payee", "device"], typer.Argument(help="What it is that is flagged.")
]
Of = Annotated[str, typer.Argument(help="Its id; of a payee the account, as rails know it, or its key.")]
Flag = Annotated[str, typer.Argument(help="Which flag, such as mule.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    flags = typer.Typer(
        help="What was noticed about parties, accounts, payees and devices.", no_args_is_help=True
    )
    flags.command("list")(list_)
    flags.command("raise")(raise_)
    flags.command()(clear)
    app.add_typer(flags, name="flags")


def list_(
    of: Annotated[str | None, typer.Argument(help="Only of this one; of all if left out.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """The flags that stand: on whom, who raised them, why, and until when."""
    from console import flags as work

    in_home(work.list_flags, json, home, book, of, over=all_)


def raise_(
    subject: Subject,
    of: Of,
    flag: Flag,
    until: Annotated[str, typer.Option(help="Until when: 2026-03-01T08:00Z, or days as in 30d.")],
    score: Annotated[int, typer.Option(min=0, max=1_000, help="How sure, per mille.")] = 1_000,
    reason: Annotated[str, typer.Option(help="Why, for other staff.")] = "",
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Raise a flag, or move the expiry and the score of one that stands."""
    from console import flags as work

    done = in_home(
        work.raise_flag,
        json,
        home,
        book,
        named=as_user,
        subject=subject,
        of=of,
        flag=flag,
        until=until,
        score=score,
        reason=reason,
    )
    raise typer.Exit(DONE if done else SOME_REJECTED)


def clear(
    subject: Subject,
    of: Of,
    flag: Flag,
    reason: Annotated[str, typer.Option(help="Why, for other staff.")],
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Take a flag away before its time is over."""
    from console import flags as work

    done = in_home(
        work.clear_flag, json, home, book, named=as_user, subject=subject, of=of, flag=flag, reason=reason
    )
    raise typer.Exit(DONE if done else SOME_REJECTED)

"""The options and arguments that the subcommands of `daybook cases` share."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import typer

from console.ending import DONE, SOME_REJECTED

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case, or the first letters of its id.")]
Because = Annotated[str, typer.Option("--because", help="Why; it is kept.")]
Kind = Literal["fraud", "aml", "payment_review", "dispute", "other"]


def _kind(text: str) -> str:
    if text not in get_args(Kind):
        raise typer.BadParameter(f"{text} is none of {', '.join(get_args(Kind))}.")
    return text


Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", parser=_kind, metavar="KIND", help="Only of this kind; may be given again."),
]
Label = Literal["confirmed_fraud", "suspicious", "false_positive", "legitimate", "inconclusive", "duplicate"]
Found = Literal["upheld", "remarks", "overturned"]
Names = list[str] | None


def status(accepted: bool) -> int:
    """The exit status where a command was accepted, or waits, or was refused."""
    return DONE if accepted else SOME_REJECTED

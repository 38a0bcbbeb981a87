"""`daybook reviews ...`: for those who review payments. Thin: what does the work is imported when it runs."""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from typing import Annotated, Literal

import typer

from console.ending import DONE, SOME_REJECTED
from console.options import AsUser, BookOption, HomeOption, Json
from console.start import in_home

Payment = Annotated[str, typer.Argument(help="The payment.")]
Reason = Annotated[str, typer.Option(help="Why, for other staff.")]
Label = Annotated[
    Literal["confirmed_fraud", "suspicious", "false_positive", "legitimate", "inconclusive"] | None,
    typer.Option(help="What was found."),
]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    reviews = typer.Typer(help="Payments that wait until somebody has looked at them.", no_args_is_help=True)
    reviews.command("list")(list_)
    reviews.command()(release)
    reviews.command()(decline)
    reviews.command()(escalate)
    app.add_typer(reviews, name="reviews")


def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """What waits for review, the most urgent first: what comes of it, and when, where nobody decides."""
    from console import reviews as work

    in_home(work.list_reviews, json, home, book, over=all_)


def release(
    payment: Payment,
    reason: Reason,
    label: Label = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Let a payment go, unless something else stands in its way."""
    from console import reviews as work
    from schemas.reviews import ReleasePayment

    done = in_home(
        work.decide, json, home, book, as_user, ReleasePayment, payment, reason=reason, label=label or ""
    )
    raise typer.Exit(DONE if done else SOME_REJECTED)


def decline(
    payment: Payment,
    reason: Reason,
    label: Label = None,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """End a payment: it is not sent, and its money is free again. The customer is not told why."""
    from console import reviews as work
    from schemas.reviews import DeclinePayment

    done = in_home(
        work.decide, json, home, book, as_user, DeclinePayment, payment, reason=reason, label=label or ""
    )
    raise typer.Exit(DONE if done else SOME_REJECTED)


def escalate(
    payment: Payment,
    reason: Reason,
    as_user: AsUser = None,
    book: BookOption = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Leave the decision to others. Whoever does can no longer release it."""
    from console import reviews as work
    from schemas.reviews import EscalateReview

    done = in_home(work.decide, json, home, book, as_user, EscalateReview, payment, reason=reason)
    raise typer.Exit(DONE if done else SOME_REJECTED)

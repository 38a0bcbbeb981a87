"""Payments in review on the terminal, for those who decide on them."""

from __future__ import annotations

import msgspec

from console.output import Output
from console.read_models import book_session
from console.sending import send
from engine.home import Home
from engine.settings import Settings
from projections.queries import digits
from projections.reviews_queries import ReviewRow
from projections.reviews_queries import reviews as find_reviews
from schemas.message import Command
from schemas.money import format_minor


def list_reviews(output: Output, home: Home, settings: Settings, book: str | None, *, over: bool) -> None:
    """Show what waits, the most urgent first."""
    with book_session(output, home, settings, book) as (session, name):
        rows = find_reviews(session, name, over=over)
        places = {one.currency: digits(session, name, one.currency) for one in rows}
    output.table(
        "",
        ["payment", "status", "account", ">amount", "", ">level", "next (UTC)", "by", "reason"],
        [
            (
                one.payment,
                one.status,
                one.account,
                format_minor(one.amount, places[one.currency]),
                one.currency,
                one.level,
                _next(one),
                one.decided_by,
                one.reason,
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("No payment waits for review.")
    for one in rows:
        output.emit(**msgspec.to_builtins(one))


def _next(row: ReviewRow) -> str:
    return "" if row.answer_by is None else f"{row.on_timeout} {row.answer_by:%Y-%m-%d %H:%M}"


def decide(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    named: str | None,
    kind: type[Command],
    payment: str,
    /,
    **fields: object,
) -> bool:
    """Release, decline or leave to others, as `kind` says; False where that was refused."""
    with book_session(output, home, settings, book) as (_, name):
        pass
    return not send(output, home, settings, kind, named, name, payment=payment, **fields).rejected

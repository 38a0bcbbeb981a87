"""What waits for approval, on the terminal: the queue, one of them with its terms, yes and no."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec
import orjson

from console.identity import acting_user
from console.output import Output
from console.read_models import book_session
from console.sending import send
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from projections.approvals_queries import AnswerRow, ApprovalRow
from projections.approvals_queries import approval as find_approval
from projections.approvals_queries import approvals as find_approvals
from projections.queries import digits
from schemas.approvals import Approve, Decline, Withdraw
from schemas.message import ENVELOPE
from schemas.money import format_minor


def approvals(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    named: str | None,
    mine: bool,
    everything: bool,
) -> None:
    """Show the queue; with `mine`, what the acting user may decide on."""
    user = acting_user(home, settings, named) if mine else None
    with book_session(output, home, settings, book) as (session, name):
        found = find_approvals(session, name, user=user, over=everything)
        places = {one.currency: digits(session, name, one.currency) for one in found if one.currency}
    output.table(
        "",
        [">id", "status", "what", ">amount", "maker", "asked by", "still needed", "who may act", "age"],
        [
            (
                one.approval,
                one.status,
                one.command_type,
                _amount(one, places),
                one.maker,
                f"{one.policy}/{one.line}",
                f"{one.missing}" if one.status == "waiting" else "",
                ", ".join([*one.roles_left, *one.persons_left]) if one.status == "waiting" else "",
                _age(one),
            )
            for one in found
        ],
    )
    if not found:
        output.say("Nothing waits." if mine or not everything else "Nothing has waited.")
    for one in found:
        output.emit(**msgspec.to_builtins(one))


def approve(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    number: int,
    *,
    named: str | None,
    shown: str | None,
) -> bool | None:
    """Show what waits and say yes to exactly that; None where there is nothing of this id."""
    with book_session(output, home, settings, book) as (session, name):
        found = find_approval(session, name, number)
        if found is None:
            output.fail(f"Seq {number} is no approval of the book {name}.")
            return None
        row, said = found
        places = {row.currency: digits(session, name, row.currency)} if row.currency else {}
    if shown is not None and shown != row.shown:
        raise WrongUse(f"What waits now has the digest {row.shown}.", "Look at it again.")
    output.table("", ["", ""], _described(row, said, places))
    outcome = send(output, home, settings, Approve, named, name, approval=number, shown=row.shown)
    return not outcome.rejected


def decline(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    number: int,
    *,
    named: str | None,
    reason: str,
) -> bool:
    """Say no."""
    book = book or _only_book(output, home, settings)
    outcome = send(output, home, settings, Decline, named, book, approval=number, reason=reason)
    return not outcome.rejected


def withdraw(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    number: int,
    *,
    named: str | None,
    reason: str,
) -> bool:
    """Take it back."""
    book = book or _only_book(output, home, settings)
    outcome = send(output, home, settings, Withdraw, named, book, approval=number, reason=reason)
    return not outcome.rejected


def _only_book(output: Output, home: Home, settings: Settings) -> str:
    with book_session(output, home, settings, None) as (_, only):
        return only


def _amount(row: ApprovalRow, places: dict[str, int]) -> str:
    if row.amount is None or row.currency is None:
        return ""
    return f"{format_minor(row.amount, places[row.currency])} {row.currency}"


def _age(row: ApprovalRow) -> str:
    until = row.decided_at or datetime.datetime.now(datetime.UTC)
    seconds = max(0, int((until - row.requested_at).total_seconds()))
    if seconds < 3_600:
        return f"{seconds // 60} min"
    return f"{seconds // 3_600} h" if seconds < 2 * 86_400 else f"{seconds // 86_400} d"


def _described(row: ApprovalRow, said: list[AnswerRow], places: dict[str, int]) -> Iterator[tuple[str, str]]:
    yield "approval", f"{row.approval} ({row.status})"
    yield "made by", f"{row.maker}, {row.requested_at:%Y-%m-%d %H:%M:%S UTC}"
    yield "asked by", f"policy {row.policy}, line {row.line}"
    yield "what", row.command_type
    for name, value in row.asked.items():
        if name not in ENVELOPE and name not in {"type", "id"} and value not in (None, "", {}, []):
            yield f"  {name}", value if isinstance(value, str) else orjson.dumps(value).decode()
    if amount := _amount(row, places):
        yield "amount", amount
    for fee in row.terms["fees"]:
        yield "fee", f"{fee['amount']} {fee['currency']} minor, {fee['tariff']}/{fee['line']}"
    for name in ("value_dates", "rates"):
        if row.terms[name]:
            yield name.replace("_", " "), ", ".join(row.terms[name])
    for name, version in row.terms["documents"].items():
        yield "rests on", f"{name}, version {version}"
    yield "would be", ", ".join(row.terms["events"])
    for one in said:
        behalf = f" for {one.on_behalf_of}" if one.on_behalf_of else ""
        more = " by override" if one.override else ""
        lapsed = "" if one.counts or one.answer == "no" else ", no longer counts"
        yield one.answer, f"{one.actor}{behalf}{more}{lapsed}"
    if row.status == "waiting":
        yield "still needed", f"{row.missing}: {', '.join([*row.roles_left, *row.persons_left])}"
    yield "digest", row.shown

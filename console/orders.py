"""Orders, bulks and suspense on the terminal."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from console.output import Output
from console.read_models import book_session
from engine.home import Home
from engine.settings import Settings
from projections import orders_queries
from projections.database import Session
from projections.queries import digits
from schemas.money import format_minor
from schemas.rejections import sentence
from schemas.withheld import told


def _money(session: Session, book: str, amount: int | None, currency: str | None) -> str:
    if amount is None or currency is None:
        return ""
    return f"{format_minor(amount, digits(session, book, currency))} {currency}"


def orders(output: Output, home: Home, settings: Settings, book: str | None, account: str | None) -> None:
    """List the orders of an account, or all that are not over."""
    with book_session(output, home, settings, book) as (session, name):
        found = orders_queries.orders(session, name, account)
        lines = [
            (
                one.order_id,
                one.account,
                one.payee,
                _money(session, name, one.amount, one.currency),
                one.every,
                one.state,
                f"{one.due_at:%Y-%m-%d %H:%M} UTC" if one.due_at is not None else "",
                one.made,
            )
            for one in found
        ]
    if lines:
        output.table(
            "", ["order", "account", "payee", ">amount", "every", "state", "next run", ">made"], lines
        )
    else:
        output.say("There are no orders.")
    for one in found:
        output.emit(**msgspec.to_builtins(one))


def bulk(output: Output, home: Home, settings: Settings, book: str | None, bulk_id: str) -> bool:
    """Show a bulk with its instructions; False where there is none of this id."""
    with book_session(output, home, settings, book) as (session, name):
        found = orders_queries.bulk(session, name, bulk_id)
        if found is None:
            output.fail(f"There is no bulk {bulk_id} in the book {name}.")
            return False
        instructions = [_told(one) for one in orders_queries.instructions(session, name, bulk_id)]
        lines = [
            (
                one.index,
                one.state,
                one.account or "",
                one.credit or one.payment or "",
                _money(session, name, one.amount, one.currency),
                sentence(one.reason, one.figures or {}) if one.reason else "",
            )
            for one in instructions
        ]
    output.say(f"{found.bulk}: {found.accepted} accepted, {found.refused} refused ({found.mode}).")
    output.table("", [">", "outcome", "account", "to", ">amount", "because"], lines)
    output.emit(**msgspec.to_builtins(found))
    for instruction in instructions:
        output.emit(**msgspec.to_builtins(instruction))
    return True


def _told(row: orders_queries.InstructionRow) -> orders_queries.InstructionRow:
    if not row.reason:
        return row
    reason, figures = told(row.reason, row.figures or {})
    return replace(row, reason=reason, figures=figures)


def suspense(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """List what waits in suspense, the oldest first."""
    with book_session(output, home, settings, book) as (session, name):
        found = orders_queries.suspense(session, name)
        lines = [
            (
                one.receipt,
                one.told_account,
                _money(session, name, one.amount, one.currency),
                one.owner,
                one.age_s // 86_400,
                sentence(one.reason, one.figures),
            )
            for one in found
        ]
    if lines:
        output.table("", ["receipt", "for", ">amount", "owner", ">days", "because"], lines)
    else:
        output.say("Nothing waits in suspense.")
    for one in found:
        output.emit(**msgspec.to_builtins(one))

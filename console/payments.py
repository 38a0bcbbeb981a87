"""Payments on the terminal: one that is made, one with its life, the repair queue, the stop switches."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError

from console.choices import date_of
from console.output import Output
from console.read_models import book_session
from console.sending import send
from engine.errors import WrongUse
from engine.home import Home
from engine.settings import Settings
from projections.answers import AuditRow
from projections.approvals_queries import AnswerRow, ApprovalRow
from projections.payment_queries import PaymentRow, Timeline, timeline
from projections.payment_queries import repairs as find_repairs
from projections.payment_queries import stops as find_stops
from projections.payment_told import told_life
from projections.queries import digits
from schemas.documents.wording import problems_in
from schemas.money import format_minor, parse_minor
from schemas.payments import Payee, SubmitPayment
from schemas.rejections import sentence

SAID = ("reason", "detail", "by", "state", "action", "amount", "rail_reference", "credited", "persons")
"""The fields of events that say why, in the order in which they are shown."""

_HELP = "See `daybook pay --help`."
_ASKED = {
    "account": "ACCOUNT",
    "amount": "AMOUNT",
    "currency": "CURRENCY",
    "payment": "--id",
    "rail": "--rail",
    "payee.name": "--to",
    "payee.account": "--payee",
    "payee.agent": "--agent",
    "payee.country": "--country",
    "purpose": "--purpose",
    "reference": "--reference",
    "end_to_end": "--end-to-end",
    "channel": "--channel",
}
"""How the fields of a payment are given on the command line."""


def pay(
    output: Output,
    home: Home,
    settings: Settings,
    book: str | None,
    *,
    named: str | None,
    account: str,
    amount: str,
    currency: str,
    rail: str,
    payee: dict[str, str],
    payment: str | None,
    on: str | None,
    details: dict[str, str],
) -> bool:
    """Submit a payment; False where it was refused."""
    with book_session(output, home, settings, book) as (session, found):
        places = digits(session, found, currency)
    try:
        minor = parse_minor(amount, places)
    except ValueError as error:
        raise WrongUse(f"{error}.", _HELP) from None
    fields: dict[str, Any] = {
        "payment": payment or f"pay-{secrets.token_hex(8)}",
        "account": account,
        "amount": minor,
        "currency": currency,
        "rail": rail,
        "payee": payee,
        "execution_date": None if on is None else date_of(on),
        **details,
    }
    right(fields)
    fields["payee"] = Payee(**payee)
    said = {"payment": fields["payment"]}
    return not send(output, home, settings, SubmitPayment, named, found, said, **fields).rejected


def right(fields: dict[str, Any]) -> None:
    """Raises WrongUse with the first thing that is wrong with a payment before it is sent."""
    envelope = {"type": "SubmitPayment", "id": "-", "book": "-", "actor": "-", "issued_at_ms": 0}
    try:
        TypeAdapter(SubmitPayment).validate_python({**envelope, **fields})
    except ValidationError as error:
        first = problems_in(SubmitPayment, error)[0]
        raise WrongUse(f"{_ASKED.get(first.path, first.path)} {first.what}.", _HELP) from None


def payment(
    output: Output, home: Home, settings: Settings, book: str | None, id: str, *, restricted: bool
) -> bool:
    """Show a payment and its life; False where there is none. restricted: with what only staff may know."""
    with book_session(output, home, settings, book) as (session, found):
        life = timeline(session, found, id)
        if life is None:
            output.fail(f"There is no payment {id} in the book {found}.")
            return False
        if not restricted:
            life = told_life(life)
        places = digits(session, found, life.payment.currency)
    output.table("", ["", ""], list(_described(life.payment, places)))
    if life.approval is not None:
        output.head("approval")
        output.table("", ["", ""], list(_approved(life.approval, life.answers)))
    output.head("timeline")
    output.table(
        "",
        ["at (UTC)", ">seq", "who", "what", "why"],
        [(_time(one), one.seq, _who(one), one.type, _why(one, places)) for one in life.events],
    )
    _emit(output, life)
    return True


def _emit(output: Output, life: Timeline) -> None:
    output.emit(**msgspec.to_builtins(life))


def _described(row: PaymentRow, places: int) -> Iterator[tuple[str, str]]:
    def money(amount: int) -> str:
        return f"{format_minor(amount, places)} {row.currency}"

    yield "payment", f"{row.payment} ({row.status})"
    yield "from", row.account
    where = " ".join(part for part in (row.payee_agent, row.payee_country) if part)
    yield "to", f"{row.payee_name}, {row.payee_account}{f' ({where})' if where else ''}"
    yield "amount", money(row.amount)
    if row.fees:
        yield "fees", money(row.fees)
    yield "rail", row.rail
    if row.returned:
        yield "returned", money(row.returned)
    for name in ("reference", "end_to_end", "recall", "rail_reference"):
        if value := getattr(row, name):
            yield name.replace("_", " "), value
    if row.waits_for:
        by = f" ({row.waits_by})" if row.waits_by else ""
        yield "waits for", f"{row.waits_for.replace('_', ' ')}{by}"
    if row.repair:
        yield "in repair", f"{row.repair.replace('_', ' ')}: {row.repair_detail}"
    if row.proposal:
        yield "proposed", f"{row.proposal}, by {row.proposed_by}"
    if row.due_at is not None:
        yield "next due", f"{row.due_at:%Y-%m-%d %H:%M:%S UTC}"


def _approved(row: ApprovalRow, answers: list[AnswerRow]) -> Iterator[tuple[str, str]]:
    yield "asked by", f"policy {row.policy} version {row.version}, line {row.line}"
    yield "made by", f"{row.maker}, {row.requested_at:%Y-%m-%d %H:%M:%S UTC}"
    for one in answers:
        yield one.answer, f"{one.actor}, {one.at:%Y-%m-%d %H:%M:%S UTC}"


def _time(row: AuditRow) -> str:
    return row.at.strftime("%Y-%m-%d %H:%M:%S")


def _who(row: AuditRow) -> str:
    return row.actor or ("timer" if row.timer else "engine")


def _why(row: AuditRow, places: int) -> str:
    event: dict[str, Any] = row.event
    if row.type == "CommandRejected":
        return f"{event['reason']}: {sentence(event['reason'], event.get('figures') or {})}"
    parts = []
    for name in SAID:
        value = event.get(name)
        if value in (None, "", [], ()):
            continue
        if name == "amount":
            value = format_minor(int(value), places)
        parts.append(f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}")
    return "; ".join(parts)


def repairs(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """Show what is in repair, the oldest first."""
    with book_session(output, home, settings, book) as (session, found):
        rows = find_repairs(session, found)
        places = {one.currency: digits(session, found, one.currency) for one in rows}
    output.table(
        "",
        ["since (UTC)", "payment", "status", "why", ">amount", "", "rail", ">sent", ">asked", "proposed"],
        [
            (
                f"{one.repair_since:%Y-%m-%d %H:%M:%S}" if one.repair_since else "",
                one.payment,
                one.status,
                one.repair,
                format_minor(one.amount, places[one.currency]),
                one.currency,
                one.rail,
                one.attempt,
                one.asked,
                f"{one.proposal} by {one.proposed_by}" if one.proposal else "",
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("No payment is in repair.")
    for one in rows:
        output.emit(**msgspec.to_builtins(one))


def stops(output: Output, home: Home, settings: Settings, book: str | None) -> None:
    """Show the stops that are on, the oldest first."""
    with book_session(output, home, settings, book) as (session, found):
        rows = find_stops(session, found)
    output.table(
        "",
        ["since (UTC)", "stop", "what", "reason", "author", ">waiting"],
        [
            (
                f"{one.since:%Y-%m-%d %H:%M:%S}",
                one.stop,
                f"{one.scope} {one.value}".strip(),
                one.reason,
                one.author,
                one.waiting,
            )
            for one in rows
        ],
    )
    if not rows:
        output.say("No stop is on.")
    for one in rows:
        output.emit(**msgspec.to_builtins(one))

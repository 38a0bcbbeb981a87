"""An account's limits on the terminal: what is used, reserved and left of each, and when that resets."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec

from book.planning import limit_plans
from book.plans import DAY, MONTH, TRANSACTION, LimitPlan
from commands.calendar import local_date, midnight_ms
from console.output import Output
from console.read_models import book_session
from engine.home import Home
from engine.log.records import wall_clock
from engine.settings import Settings
from projections.answers import AccountRow
from projections.database import Session
from projections.queries import account as find_account
from projections.queries import digits
from projections.terms_queries import (
    FeeRow,
    UsageRow,
    bodies_so_far,
    body_in_force,
    book_of,
    fees,
    raises,
    usage,
)
from schemas.documents.limits import Limits
from schemas.money import format_minor

_A_DAY = datetime.timedelta(days=1)


class LimitRow(msgspec.Struct, frozen=True):
    """A limit. most, used, reserved, left: minor units of `currency`, or a number of times where it is empty.

    resets_at_ms: when something that is used counts no longer; None where nothing is counted.
    """

    limit: str
    window: str
    by: str
    holder: str
    currency: str
    most: int
    raised_until_ms: int | None
    used: int
    reserved: int
    left: int
    resets_at_ms: int | None


def limits(output: Output, home: Home, settings: Settings, book: str | None, id: str) -> bool:
    """Show an account's limits and its newest fees; False where there is no such account."""
    with book_session(output, home, settings, book) as (session, name):
        account = find_account(session, name, id)
        if account is None:
            output.fail(f"There is no account {id} in the book {name}.")
            return False
        rows = list(limits_of(session, name, account))
        charged = fees(session, name, id)
        places = digits(session, name, account.currency)
    output.table(
        f"Limits of {id}",
        ["limit", "window", "by", ">most", ">used", ">reserved", ">left", "resets (UTC)"],
        [
            (
                row.limit,
                row.window,
                row.by,
                *(_shown(one, row, places) for one in (row.most, row.used, row.reserved, row.left)),
                "" if row.resets_at_ms is None else _time(row.resets_at_ms),
            )
            for row in rows
        ],
    )
    if charged:
        output.table(
            "Fees",
            ["at (UTC)", ">seq", "tariff", "line", ">amount", "to", ""],
            [_charged(row, places) for row in charged],
        )
    for row in rows:
        output.emit(**msgspec.to_builtins(row))
    for fee in charged:
        output.emit(**msgspec.to_builtins(fee))
    return True


def limits_of(session: Session, book: str, account: AccountRow) -> Iterator[LimitRow]:
    """The limits in force for an account, as used by it or by whom they count it together with."""
    about = book_of(session, book)
    assert about is not None, "a book with an account is there"
    at_ms = round(about.at.timestamp() * 1_000)
    if about.clock == "wall":
        at_ms = max(at_ms, wall_clock())
    today = local_date(about.time_zone, at_ms)
    product = body_in_force(session, book, "product", account.product, at_ms)
    for name in product["limits"] if product else ():
        for plan in _plans(session, book, name, at_ms):
            if plan.currency not in ("", account.currency):
                continue
            by, holder = _holder(plan, account)
            counted = usage(session, book, by, holder) if holder else []
            most, until = raises(session, book, by, holder, at_ms).get(plan.name, (0, 0))
            yield _row(plan, by, holder, counted, (most, until), about.time_zone, at_ms, today)


def _plans(session: Session, book: str, name: str, at_ms: int) -> tuple[LimitPlan, ...]:
    """The lines in force of a limits document, each with the key under which it counts."""
    plans: tuple[LimitPlan, ...] = ()
    at = datetime.datetime.fromtimestamp(at_ms / 1_000, datetime.UTC)
    for version, body in bodies_so_far(session, book, "limits", name, at):
        plans = limit_plans(name, version, msgspec.convert(body, Limits), plans)
    return plans


def _holder(plan: LimitPlan, account: AccountRow) -> tuple[str, str]:
    """Whose count it is; by channel, corridor and counterparty that depends on the movement."""
    if plan.by == "account" or (plan.by == "party" and not account.party):
        return "account", account.account
    if plan.by == "party":
        return "party", account.party
    return plan.by, account.product if plan.by == "product" else ""


def _row(
    plan: LimitPlan,
    by: str,
    holder: str,
    counted: list[UsageRow],
    raised: tuple[int, int],
    time_zone: str,
    at_ms: int,
    today: datetime.date,
) -> LimitRow:
    bucket = _bucket(plan, at_ms, today)
    within = [
        one
        for one in counted
        if one.limit_key == plan.key and one.bucket >= bucket - plan.slices and one.total
    ]
    total, reserved = sum(one.total for one in within), sum(one.reserved for one in within)
    most = max(plan.most, raised[0])
    resets = None
    if within:
        oldest = min(one.bucket for one in within)
        resets = _resets_at_ms(plan, oldest, time_zone, today)
    return LimitRow(
        limit=plan.name,
        window=plan.window,
        by=by,
        holder=holder,
        currency=plan.currency if plan.sums else "",
        most=most,
        raised_until_ms=raised[1] or None,
        used=total - reserved,
        reserved=reserved,
        left=max(0, most - total),
        resets_at_ms=resets,
    )


def _bucket(plan: LimitPlan, at_ms: int, today: datetime.date) -> int:
    if plan.width_ms == DAY:
        return today.toordinal()
    if plan.width_ms == MONTH:
        return today.year * 12 + today.month - 1
    return 0 if plan.width_ms == TRANSACTION else at_ms // plan.width_ms


def _resets_at_ms(plan: LimitPlan, oldest: int, time_zone: str, today: datetime.date) -> int:
    if plan.width_ms == DAY:
        return midnight_ms(time_zone, today + _A_DAY)
    if plan.width_ms == MONTH:
        return midnight_ms(time_zone, (today.replace(day=1) + 31 * _A_DAY).replace(day=1))
    return (oldest + plan.slices + 1) * plan.width_ms


def _shown(amount: int, row: LimitRow, places: int) -> str:
    return f"{format_minor(amount, places)} {row.currency}" if row.currency else str(amount)


def _charged(row: FeeRow, places: int) -> tuple[str | int, ...]:
    said = "" if row.status == "charged" else f"{row.status}, seq {row.returned_seq}"
    amount = f"{format_minor(row.amount, places)} {row.currency}"
    return (
        row.at.strftime("%Y-%m-%d %H:%M:%S"),
        row.seq,
        f"{row.tariff} version {row.version}",
        row.line,
        amount,
        row.income,
        said,
    )


def _time(at_ms: int) -> str:
    return datetime.datetime.fromtimestamp(at_ms // 1_000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")

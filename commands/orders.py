"""What is decided about orders, and what their timers do: every firing makes a run, tries it again, or says
why there is none, and always sets the next.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from book.order import Order
from book.state import Book
from commands.calendar import local_date, midnight_ms
from commands.calendars import adjusted, is_banking_day, next_banking_day
from commands.decision import Decision, Steps
from commands.instructions import command_of, decide_as
from commands.schedules import Next, nth_date
from commands.transfers import unfit
from schemas.instructions import Instruction, ToAccount
from schemas.message import Command, Date, Event
from schemas.orders import (
    CancelStandingOrder,
    ChangeStandingOrder,
    CreateStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    SchedulePayment,
    StandingOrderCancelled,
    StandingOrderChanged,
    StandingOrderCreated,
    StandingOrderMissed,
    StandingOrderMoved,
    StandingOrderPaused,
    StandingOrderResumed,
    StandingOrderRun,
    StandingOrderSkipped,
)
from schemas.rejections import Rejection, reject

_A_DAY = datetime.timedelta(days=1)


def schedule_payment(book: Book, command: SchedulePayment, at_ms: int) -> Decision:
    """Rejected, in this order: order_exists, same_account, account_not_found, account_not_open,
    currency_mismatch, rail_not_found, calendar_not_found, first_date_in_past.
    """
    if refused := _unfit(book, command, command.on, at_ms):
        return refused
    return _created(book, command, at_ms, every="once", first=command.on)


def create_standing_order(book: Book, command: CreateStandingOrder, at_ms: int) -> Decision:
    """Rejected, in this order: order_exists, same_account, account_not_found, account_not_open,
    currency_mismatch, rail_not_found, calendar_not_found, first_date_in_past, no_run_left.
    """
    if refused := _unfit(book, command, command.first, at_ms):
        return refused
    return _created(
        book,
        command,
        at_ms,
        every=command.every,
        first=command.first,
        day=command.day,
        until=command.until,
        runs=command.runs,
        above=command.above,
    )


def _unfit(
    book: Book, command: SchedulePayment | CreateStandingOrder, first: Date, at_ms: int
) -> Rejection | None:
    if command.order in book.orders.known.ids or command.order in book.orders.standing:
        return reject("order_exists", order=command.order)
    to = command.to
    accounts = (command.account, to.account) if isinstance(to, ToAccount) else (command.account,)
    if len(set(accounts)) < len(accounts):
        return reject("same_account")
    for name in accounts:
        if name not in book.accounts:
            return reject("account_not_found", account=name)
    for name in accounts:
        if refused := unfit(name, book.accounts[name], command.currency):
            return refused
    if not isinstance(to, ToAccount) and to.rail not in book.in_force.rails:
        return reject("rail_not_found", rail=to.rail)
    if command.calendar is not None and command.calendar not in book.in_force.calendars:
        return reject("calendar_not_found", calendar=command.calendar)
    today = local_date(book.time_zone, at_ms)
    if first < today:
        return reject("first_date_in_past", first=first.isoformat(), today=today.isoformat())
    return None


def _created(
    book: Book,
    command: SchedulePayment | CreateStandingOrder,
    at_ms: int,
    *,
    every: Any,
    first: Date,
    day: int | None = None,
    until: Date | None = None,
    runs: int | None = None,
    above: int | None = None,
) -> Decision:
    order = Order(
        account=command.account,
        amount=command.amount,
        currency=command.currency,
        to=command.to,
        every=every,
        first=first,
        day=first.day if day is None else day,
        until=until,
        runs=runs,
        above=above,
        reference=command.reference,
        channel=command.channel,
        calendar=command.calendar or "",
        convention=command.convention,
        retries=command.retries,
        number=0,
        date=first,
        creator=command.actor,
        command=command.id,
        issued_at_ms=command.issued_at_ms,
    )
    begins = nth_date(order.every, first, order.day, 0)
    found = Next(book, order, 0 if begins is None or begins >= first else 1, None, runs, at_ms)
    if found.date is None or found.due_ms is None:
        return reject("no_run_left")
    return StandingOrderCreated(
        order=command.order,
        creator=command.actor,
        account=order.account,
        amount=order.amount,
        currency=order.currency,
        to=order.to,
        every=order.every,
        first=first,
        day=order.day,
        until=until,
        runs=runs,
        above=above,
        reference=order.reference,
        channel=order.channel,
        calendar=order.calendar,
        convention=order.convention,
        retries=order.retries,
        number=found.number,
        date=found.date,
        due_ms=found.due_ms,
    )


def _standing(book: Book, order: str) -> Order | Rejection:
    return book.orders.standing.get(order) or reject("order_not_found", order=order)


def change_standing_order(book: Book, command: ChangeStandingOrder, at_ms: int) -> Decision:
    """Rejected, in this order: order_not_found, nothing_to_change."""
    order = _standing(book, command.order)
    if isinstance(order, Rejection):
        return order
    amount = order.amount if command.amount is None else command.amount
    until = order.until if command.until is None else command.until
    reference = order.reference if command.reference is None else command.reference
    if (amount, until, reference) == (order.amount, order.until, order.reference):
        return reject("nothing_to_change")
    return StandingOrderChanged(
        order=command.order,
        amount=amount,
        until=until,
        reference=reference,
        ended=until is not None and order.date > until,
    )


def pause_standing_order(book: Book, command: PauseStandingOrder, at_ms: int) -> Decision:
    """Rejected, in this order: order_not_found, order_paused."""
    order = _standing(book, command.order)
    if isinstance(order, Rejection):
        return order
    if order.paused:
        return reject("order_paused", order=command.order)
    return StandingOrderPaused(order=command.order, reason=command.reason)


def resume_standing_order(book: Book, command: ResumeStandingOrder, at_ms: int) -> Decision:
    """Rejected, in this order: order_not_found, order_not_paused."""
    order = _standing(book, command.order)
    if isinstance(order, Rejection):
        return order
    if not order.paused:
        return reject("order_not_paused", order=command.order)
    yesterday = local_date(book.time_zone, at_ms) - _A_DAY
    left = None if order.runs is None else order.runs - order.passed
    found = Next(book, order, order.number, yesterday, left, at_ms)
    return StandingOrderResumed(
        order=command.order,
        passed=found.passed,
        number=found.number,
        date=found.date,
        due_ms=found.due_ms,
    )


def cancel_standing_order(book: Book, command: CancelStandingOrder, at_ms: int) -> Decision:
    """Rejected: order_not_found."""
    order = _standing(book, command.order)
    if isinstance(order, Rejection):
        return order
    return StandingOrderCancelled(order=command.order, reason=command.reason)


def run_order(book: Book, rest: str, due_ms: int) -> Event | Steps:
    """The timer of an order: a run is made, moved, tried again on the next banking day, or skipped.

    It is tried again up to `retries` times, and only as long as the next date has not come.
    """
    order = book.orders.standing[rest]
    today = local_date(book.time_zone, due_ms)
    if not is_banking_day(book, order.calendar, today):
        day = next_banking_day(book, order.calendar, today)
        return StandingOrderMoved(order=rest, date=order.date, due_ms=midnight_ms(book.time_zone, day))
    left = None if order.runs is None else order.runs - order.passed - 1
    found = Next(book, order, order.number + 1, today, left, due_ms)
    amount = amount_of_run(book, rest)
    if amount <= 0:
        return _skipped(rest, order, found, None)
    command = command_of_run(book, rest, amount)
    decision = decide_as(book, command, due_ms, "standing")
    if not isinstance(decision, Rejection):
        return _made(rest, order, found, amount, decision)
    again = next_banking_day(book, order.calendar, today + _A_DAY)
    in_time = found.date is None or again < adjusted(book, order.calendar, found.date, order.convention)
    if order.attempt >= order.retries or not in_time:
        return _skipped(rest, order, found, decision)
    return StandingOrderMissed(
        order=rest,
        date=order.date,
        attempt=order.attempt + 1,
        amount=amount,
        reason=decision.reason,
        figures=decision.figures,
        restricted=decision.restricted,
        due_ms=midnight_ms(book.time_zone, again),
    )


def command_of_run(book: Book, order_id: str, amount: int) -> Command:
    """What the order's next run asks for."""
    order = book.orders.standing[order_id]
    return command_of(
        Instruction(
            account=order.account,
            amount=amount,
            currency=order.currency,
            to=order.to,
            reference=order.reference,
            channel=order.channel,
        ),
        _payment(book, f"{order_id}/{order.made + 1}"),
        id=order.command,
        book=book.id,
        actor=order.creator,
        issued_at_ms=order.issued_at_ms,
    )


def amount_of_run(book: Book, order_id: str) -> int:
    """What it pays: its amount or, of what is available above what is to stay, no more than that."""
    order = book.orders.standing[order_id]
    if order.above is None:
        return order.amount
    account = book.accounts[order.account]
    return min(order.amount, account.booked - account.held - order.above)


def _payment(book: Book, name: str) -> str:
    """The id of a run's payment: `order/run`, with a number more where somebody has used that already."""
    names = (name, *(f"{name}.{number}" for number in range(2, 10)))
    return next((one for one in names if one not in book.payments.by_id), name)


def _made(
    order_id: str, order: Order, found: Next, amount: int, decision: Event | tuple[Event, ...] | Steps
) -> Steps:
    yield StandingOrderRun(
        order=order_id,
        run=order.made + 1,
        date=order.date,
        amount=amount,
        number=found.number,
        passed=found.passed,
        next_date=found.date,
        due_ms=found.due_ms,
    )
    yield from (decision,) if isinstance(decision, Event) else decision


def _skipped(order_id: str, order: Order, found: Next, why: Rejection | None) -> StandingOrderSkipped:
    return StandingOrderSkipped(
        order=order_id,
        date=order.date,
        attempt=order.attempt + 1,
        reason="" if why is None else why.reason,
        figures={} if why is None else why.figures,
        restricted="" if why is None else why.restricted,
        number=found.number,
        passed=found.passed,
        next_date=found.date,
        due_ms=found.due_ms,
    )


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    SchedulePayment: schedule_payment,
    CreateStandingOrder: create_standing_order,
    ChangeStandingOrder: change_standing_order,
    PauseStandingOrder: pause_standing_order,
    ResumeStandingOrder: resume_standing_order,
    CancelStandingOrder: cancel_standing_order,
}

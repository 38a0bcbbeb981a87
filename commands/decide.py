"""Every handler in one place: what decides each command, and what each kind of timer does when it fires."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from book.books import BUSINESS_DATE_TIMER
from book.end_of_day import END_OF_DAY
from book.exchange import QUOTE_TIMER
from book.state import Book
from book.value_dates import VALUE_DATE
from commands import (
    access,
    accounts,
    approvals,
    books,
    bulk,
    case_clocks,
    case_decisions,
    case_reports,
    case_staff,
    case_work,
    cases,
    closing,
    crossbook,
    delegations,
    documents,
    end_of_day,
    exchange,
    fees,
    flags,
    holds,
    interest,
    limits,
    orders,
    parties,
    payments,
    payments_in,
    quotes,
    rail_reports,
    repairs,
    reversals,
    reviews,
    stops,
    transfers,
    value_dates,
)
from commands.decision import HANDLERS, Decide, Steps
from schemas.books import TimerFailed
from schemas.message import Event

RELEASE = 3
"""The version of deciding. It goes up with every change that could give a command another outcome."""

HANDLERS.update(
    {
        **books.DECIDE,
        **access.DECIDE,
        **parties.DECIDE,
        **accounts.DECIDE,
        **transfers.DECIDE,
        **reversals.DECIDE,
        **crossbook.DECIDE,
        **documents.DECIDE,
        **interest.DECIDE,
        **closing.DECIDE,
        **approvals.DECIDE,
        **bulk.DECIDE,
        **orders.DECIDE,
        **payments_in.DECIDE,
        **delegations.DECIDE,
        **limits.DECIDE,
        **fees.DECIDE,
        **flags.DECIDE,
        **holds.DECIDE,
        **payments.DECIDE,
        **rail_reports.DECIDE,
        **repairs.DECIDE,
        **reviews.DECIDE,
        **stops.DECIDE,
        **quotes.DECIDE,
        **exchange.DECIDE,
        **value_dates.DECIDE,
        **cases.DECIDE,
        **case_staff.DECIDE,
        **case_decisions.DECIDE,
        **case_work.DECIDE,
        **case_reports.DECIDE,
    }
)
DECIDE: dict[type, Decide] = HANDLERS

Fired = Event | tuple[Event, ...] | Steps

FIRE: dict[str, Callable[[Book, str, int], Fired]] = {
    BUSINESS_DATE_TIMER: books.roll_business_date,
    "block": accounts.expire_block,
    "standing_order": orders.run_order,
    "suspense": payments_in.suspense_ages,
    "document": documents.take_effect,
    END_OF_DAY: end_of_day.next_slice,
    "approval": approvals.expire,
    "delegation": delegations.end,
    "limit_raise": limits.expire_raise,
    "flag": flags.expire_flag,
    "hold": holds.expire_hold,
    "payment_due": payments.payment_due,
    "payments_released": payments.release_waiting,
    "review": reviews.review_timeout,
    "payment_silence": rail_reports.no_answer,
    QUOTE_TIMER: quotes.expire_quote,
    VALUE_DATE: value_dates.release,
    "case_touch": case_clocks.not_touched,
    "case_close": case_clocks.not_closed,
    "case_step": case_clocks.escalate,
    "case_wait": case_work.waited,
    "case_report": case_reports.overdue,
}
"""By the kind of timer, which is its id up to the first line feed. A firing always answers with events that
remove or reschedule its timer; those of one firing are appended together."""


RETRY_MS = 3_600_000


def fire(book: Book, timer: str, due_ms: int) -> Fired:
    """The events of a timer that fires at `due_ms`. A bug in it must not stop the book, today and after every
    restart: the answer is then that it fires again in an hour, as nothing was touched yet.
    """
    kind, _, rest = timer.partition("\n")
    try:
        fired = FIRE[kind](book, rest, due_ms)
        if isinstance(fired, Event | tuple):
            return fired
        first = next(fired)
    except Exception as error:  # noqa: BLE001 - see above
        detail = f"{type(error).__name__}: {error}"[:500]
        return TimerFailed(again_at_ms=due_ms + RETRY_MS, restricted=detail)
    return itertools.chain((first,), fired)

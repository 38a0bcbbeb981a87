"""What changes the work that closed days left: a day closes, a slice is done, a day is finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book import months, revaluation
from book.accruals import EndOfDay
from book.state import Book
from schemas.books import TimerFailed
from schemas.end_of_day import DayFinished, EndOfDayAdvanced
from schemas.message import Date

END_OF_DAY = "end_of_day"
"""The id of the timer by which the events of slices are known. It is not among the book's timers: they hold
up every command behind them, and end of day holds up nobody.
"""
PACE_MS = 25
"""Book time from one slice to the next. A slice is a few milliseconds of work, so most time is left."""


def day_closed(book: Book, closed: Date, today: Date, at_ms: int) -> None:
    """A business day is over; with it any date that the place skipped."""
    revaluation.day_closed(book, closed)
    work = book.end_of_day
    for ordinal in range(closed.toordinal(), today.toordinal()):
        day = Date.fromordinal(ordinal)
        if is_months_last(day) and book.accounts:
            months.month_is_over(book, day)
        if has_work(book, day):
            work.pending.append(ordinal)
    if work.pending and work.due_ms is None:
        work.due_ms = at_ms + PACE_MS


def has_work(book: Book, day: Date) -> bool:
    """Whether a closed day leaves anything to do: interest, unpaid fees, positions to revalue; a month's last
    one leaves balances to add up, and monthly fees.
    """
    work = book.end_of_day
    return (
        bool(work.bearing or work.unpaid)
        or day.toordinal() in book.fx.closing
        or (is_months_last(day) and bool(book.accounts))
    )


def is_months_last(day: Date) -> bool:
    """Whether the next day is in another month."""
    return Date.fromordinal(day.toordinal() + 1).day == 1


def has_monthly_fees(book: Book) -> bool:
    """Whether any product costs its accounts something each month."""
    return any(
        plan.monthly
        for product in book.in_force.plans.values()
        for plan in (*product.currencies.values(), product.rest)
    )


def unfinished_day(book: Book, through: Date) -> Date | None:
    """The oldest day up to that one which is closed and not finished."""
    pending = book.end_of_day.pending
    return Date.fromordinal(pending[0]) if pending and pending[0] <= through.toordinal() else None


def advanced(book: Book, event: EndOfDayAdvanced) -> None:
    """The next slice begins where this one ended."""
    work = book.end_of_day
    assert work.pending[0] == event.business_date.toordinal(), "the oldest day comes first"
    work.step, work.done, work.due_ms = event.step, event.done, event.next_ms


def finished(book: Book, event: DayFinished) -> None:
    """The day is done; the next one that is pending begins with its first step."""
    work = book.end_of_day
    assert work.pending[0] == event.business_date.toordinal(), "the oldest day comes first"
    del work.pending[0]
    work.step, work.done, work.due_ms = "", 0, event.next_ms
    _forget_ended(book, work)


def _forget_ended(book: Book, work: EndOfDay) -> None:
    """Drop the accounts that bear no interest any more, once they are many; no step is under way."""
    if work.ended * 8 >= len(work.bearing):
        work.bearing = [one for one in work.bearing if book.accounts[one].interest is not None]
        work.ended = 0


def timer_failed(book: Book, event: TimerFailed) -> None:
    """The timer fires again later; until then the book goes on without what it does."""
    if event.timer == END_OF_DAY:
        book.end_of_day.due_ms = event.again_at_ms
    else:
        book.timers.set(event.timer, event.again_at_ms)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    TimerFailed: timer_failed,
    EndOfDayAdvanced: advanced,
    DayFinished: finished,
}

"""What is decided about a book itself: opening, time, periods, assets, how long ids are remembered."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from book.books import BUSINESS_DATE_TIMER
from book.state import SYSTEM_BOOK, Book
from commands.calendar import local_date, midnight_ms, zone
from commands.decision import Decision, knows_currency
from schemas.books import (
    DAY_MS,
    AdvanceTime,
    AssetRegistered,
    BookOpened,
    BookRegistered,
    BusinessDateRolled,
    ClockConfirmed,
    ConfirmClock,
    OpenBook,
    RegisterAsset,
    RepeatWindowSet,
    SetRepeatWindow,
    TimeAdvanced,
)
from schemas.fields import ESSENTIAL_KINDS
from schemas.rejections import reject

_A_DAY = datetime.timedelta(days=1)
CLOCK_JUMP_MS = 25 * 3_600_000
"""A wall clock further than this past what its book has seen has jumped: a day may have 25 hours."""
SYSTEM_JUMP_MS = 366 * DAY_MS


def open_book(book: Book, command: OpenBook, at_ms: int) -> Decision:
    """Decided in the system book.

    Rejected, in this order: book_exists, unknown_currency, unknown_time_zone, administrators_missing,
    second_person_missing, duplicate_line, chart_incomplete.
    """
    if command.book in book.opened:
        return reject("book_exists", book=command.book)
    if not knows_currency(book, command.currency):
        return reject("unknown_currency", currency=command.currency)
    if zone(command.time_zone) is None:
        return reject("unknown_time_zone", time_zone=command.time_zone)
    if not command.administrators:
        return reject("administrators_missing")
    if command.four_eyes and len({one.person for one in command.administrators}) < 2:
        return reject("second_person_missing", persons=1)
    for names in (
        [line.ledger for line in command.chart],
        [one.user for one in command.administrators],
    ):
        known: set[str] = set()
        for name in names:
            if name in known:
                return reject("duplicate_line", line=name)
            known.add(name)
    kinds = {line.kind for line in command.chart}
    for kind in ESSENTIAL_KINDS:
        if kind not in kinds:
            return reject("chart_incomplete", kind=kind)
    opened_at = command.issued_at_ms if command.clock == "commanded" else at_ms
    today = local_date(command.time_zone, opened_at)
    return (
        BookRegistered(opened=command.book),
        BookOpened(
            book=command.book,
            at=opened_at,
            name=command.name,
            currency=command.currency,
            administrators=command.administrators,
            time_zone=command.time_zone,
            clock=command.clock,
            chart=command.chart,
            repeat_window_ms=command.repeat_window_ms,
            repeat_cap=command.repeat_cap,
            reversible_days=command.reversible_days,
            business_date=today,
            open_from=today.replace(day=1),
            midnight_ms=midnight_ms(command.time_zone, today + _A_DAY),
            four_eyes=command.four_eyes,
        ),
    )


def advance_time(book: Book, command: AdvanceTime, at_ms: int) -> Decision:
    """The pipeline has moved `at_ms` to `to_ms` and fired what was due.

    Rejected, in this order: clock_not_commanded, time_not_ahead.
    """
    if book.clock != "commanded":
        return reject("clock_not_commanded")
    if command.to_ms < at_ms:
        return reject("time_not_ahead", at=at_ms)
    return TimeAdvanced()


def clock_jump_ms(book: Book, at_ms: int) -> int:
    """By how much a wall clock has jumped past all that the book has seen or had confirmed; else 0.

    An engine that runs shows a book every midnight, so more than a day without anything is a jump. A system
    book sees no midnights; it may be quiet for a year.
    """
    if book.clock != "wall":
        return 0
    jump = at_ms - max(book.at, book.clock_confirmed_ms)
    return jump if jump > (SYSTEM_JUMP_MS if book.id == SYSTEM_BOOK else CLOCK_JUMP_MS) else 0


def confirm_clock(book: Book, command: ConfirmClock, at_ms: int) -> Decision:
    """`at_ms` is the time to be confirmed: the pipeline leaves it ahead of the book's.

    Rejected: nothing_to_confirm.
    """
    if clock_jump_ms(book, at_ms) == 0:
        return reject("nothing_to_confirm")
    return ClockConfirmed(through_ms=at_ms, reason=command.reason)


def roll_business_date(book: Book, rest: str, due_ms: int) -> BusinessDateRolled:
    """The timer at midnight: the next business day begins. A day that the place skipped (Samoa had no 30
    December 2011) begins and ends at the same moment, and is none.
    """
    began_ms = book.timers.due[BUSINESS_DATE_TIMER]
    today = book.business_date + _A_DAY
    while (ends_ms := midnight_ms(book.time_zone, today + _A_DAY)) <= began_ms:
        today += _A_DAY
    return BusinessDateRolled(business_date=today, midnight_ms=ends_ms)


def set_repeat_window(book: Book, command: SetRepeatWindow, at_ms: int) -> Decision:
    """Never rejected."""
    return RepeatWindowSet(repeat_window_ms=command.repeat_window_ms, repeat_cap=command.repeat_cap)


def register_asset(book: Book, command: RegisterAsset, at_ms: int) -> Decision:
    """Rejected: asset_exists."""
    if command.asset in book.assets:
        return reject("asset_exists", asset=command.asset)
    return AssetRegistered(asset=command.asset, scale=command.scale, name=command.name)


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    OpenBook: open_book,
    AdvanceTime: advance_time,
    ConfirmClock: confirm_clock,
    SetRepeatWindow: set_repeat_window,
    RegisterAsset: register_asset,
}

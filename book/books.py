"""What changes a book itself: opening, its time, its business date, its periods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.charts import first_chart
from book.end_of_day import day_closed
from book.policies import compiled
from book.repeats import Repeats
from book.state import SYSTEM_BOOK, Actor, Book, Partition, PostedDay, Role
from schemas.access import Permit
from schemas.books import (
    REPEAT_CAP,
    REPEAT_WINDOW_MS,
    Administrator,
    AssetRegistered,
    BookOpened,
    BookRegistered,
    BusinessDateRolled,
    ClockConfirmed,
    EpochBegun,
    PeriodClosed,
    ReleaseActivated,
    RepeatWindowSet,
    SystemBookOpened,
    TimeAdvanced,
)
from schemas.message import Date

ADMINISTRATOR = "administrator"
"""The role that a book's first administrators have: every command, without a scope."""
BUSINESS_DATE_TIMER = "business_date"


def system_book_opened(partition: Partition, event: SystemBookOpened) -> Book:
    """The log begins: make the system book."""
    day = Date(1970, 1, 1)
    book = Book(
        id=SYSTEM_BOOK,
        name="System",
        currency="",
        time_zone="UTC",
        clock="wall",
        repeats=Repeats(REPEAT_WINDOW_MS, REPEAT_CAP, event.at - REPEAT_WINDOW_MS),
        business_date=day,
        open_from=day,
        reversible_days=1,
    )
    _appoint(book, event.administrators)
    partition.books[SYSTEM_BOOK] = book
    partition.release = event.release
    partition.epoch_id = event.epoch_id
    return book


def book_opened(partition: Partition, event: BookOpened) -> Book:
    """Make a new book with its chart of accounts and its first administrators."""
    book = Book(
        id=event.book,
        name=event.name,
        currency=event.currency,
        time_zone=event.time_zone,
        clock=event.clock,
        repeats=Repeats(event.repeat_window_ms, event.repeat_cap, event.at - event.repeat_window_ms),
        business_date=event.business_date,
        open_from=event.open_from,
        reversible_days=event.reversible_days,
        clock_confirmed_ms=event.at,
        chart=first_chart(event.chart),
    )
    _appoint(book, event.administrators)
    if event.four_eyes:
        book.four_eyes = True
        book.in_force.policies = compiled((), four_eyes=True)
    book.timers.set(BUSINESS_DATE_TIMER, event.midnight_ms)
    partition.books[event.book] = book
    return book


def _appoint(book: Book, administrators: tuple[Administrator, ...]) -> None:
    book.roles[ADMINISTRATOR] = Role((Permit(command="*"),), {"*": ()})
    for one in administrators:
        book.persons[one.person] = one.name
        book.actors[one.user] = Actor(person=one.person, party="", roles=[ADMINISTRATOR])


def release_activated(partition: Partition, event: ReleaseActivated) -> Book:
    """From here on another release decides."""
    partition.release = event.release
    return partition.system


def epoch_begun(partition: Partition, event: EpochBegun) -> Book:
    """The log goes on elsewhere, and its commands are counted anew."""
    partition.epoch += 1
    partition.epoch_id = event.epoch_id
    partition.position = event.position
    return partition.system


def book_registered(book: Book, event: BookRegistered) -> None:
    """The system book knows that the book is there."""
    book.opened[event.opened] = event.at


def time_advanced(book: Book, event: TimeAdvanced) -> None:
    """The new time stands in the envelope."""


def clock_confirmed(book: Book, event: ClockConfirmed) -> None:
    """The jump up to `through_ms` is no jump any more."""
    book.clock_confirmed_ms = event.through_ms


def business_date_rolled(book: Book, event: BusinessDateRolled) -> None:
    """Bookings take the new date; transfers that are too old can no longer be taken back."""
    day_closed(book, book.business_date, event.business_date, event.at)
    book.business_date = event.business_date
    book.timers.set(BUSINESS_DATE_TIMER, event.midnight_ms)
    posted = book.posted
    while posted and (event.business_date - posted[0].business_date).days > book.reversible_days:
        del posted[0]


def period_closed(book: Book, event: PeriodClosed) -> None:
    """Value dates before `open_from` are refused from here on."""
    book.open_from = event.open_from


def repeat_window_set(book: Book, event: RepeatWindowSet) -> None:
    """Command ids are remembered for another span, or in another number."""
    book.repeats.window_ms = event.repeat_window_ms
    book.repeats.cap = event.repeat_cap


def asset_registered(book: Book, event: AssetRegistered) -> None:
    """Accounts can be kept in the asset."""
    book.assets[event.asset] = event.scale


def posted_day(book: Book, seq: int) -> PostedDay:
    """The day's transfers, to which the event `seq` is added; a new day where it is the first."""
    posted = book.posted
    if posted:
        day = posted[-1]
        if day.business_date == book.business_date:
            return day
    day = PostedDay(book.business_date, seq)
    posted.append(day)
    return day


def day_of(book: Book, seq: int) -> PostedDay | None:
    """The day of the event `seq`, if its transfers can still be taken back."""
    return next((day for day in reversed(book.posted) if seq >= day.first_seq), None)


OPEN: dict[type, Callable[[Partition, Any], Book]] = {
    SystemBookOpened: system_book_opened,
    BookOpened: book_opened,
    ReleaseActivated: release_activated,
    EpochBegun: epoch_begun,
}
EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    BookRegistered: book_registered,
    TimeAdvanced: time_advanced,
    ClockConfirmed: clock_confirmed,
    BusinessDateRolled: business_date_rolled,
    PeriodClosed: period_closed,
    RepeatWindowSet: repeat_window_set,
    AssetRegistered: asset_registered,
}

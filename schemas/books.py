"""Books: the ledger of one legal entity, product line or tenant: its clock, days and chart of accounts."""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.fields import (
    AccountKind,
    Clock,
    Currency,
    Duration,
    Label,
    Millis,
    NewAsset,
    NewId,
    PersonalText,
    Text,
)
from schemas.message import Command, Date, Event, Value

DAY_MS = 86_400_000
REPEAT_WINDOW_MS = 7 * DAY_MS
REPEAT_CAP = 1_000_000
REVERSIBLE_DAYS = 60
"""The book keeps about 250 bytes for each transfer of these days (decision 4)."""


class ChartLine(Value):
    """A line of the chart of accounts. Accounts of `kind` are kept under `ledger` and sum up to it."""

    ledger: NewId
    name: Text
    kind: AccountKind


DEFAULT_CHART = (
    ChartLine(ledger="1000", name="Nostro accounts", kind="nostro"),
    ChartLine(ledger="1100", name="Inter-book accounts", kind="inter_book"),
    ChartLine(ledger="1200", name="FX positions", kind="fx_position"),
    ChartLine(ledger="1300", name="Accrued interest", kind="accrued"),
    ChartLine(ledger="2000", name="Customer deposits", kind="customer"),
    ChartLine(ledger="2900", name="Suspense", kind="suspense"),
    ChartLine(ledger="3000", name="Retained earnings", kind="equity"),
    ChartLine(ledger="4000", name="Income", kind="income"),
    ChartLine(ledger="5000", name="Expense", kind="expense"),
)


class Administrator(Value):
    """A person with a first user, who may do everything in a new book until roles are set up."""

    person: NewId
    user: NewId
    name: PersonalText = ""


Administrators = Annotated[tuple[Administrator, ...], Meta(max_length=100), at.MaxLen(100)]
RepeatCap = Annotated[int, Meta(ge=1, le=1_000_000_000), at.Ge(1), at.Le(1_000_000_000)]


class OpenBook(Command, tag="OpenBook"):
    """Open the book named by `book`. Answered by the partition's system book, whose administrators may do it.

    currency: its reporting currency.   time_zone: tz database name; midnight there starts a business day.
    clock: `wall`, or `commanded` for imports, simulation and tests.
    repeat_window_ms, repeat_cap: how long and how many command ids are remembered.
    reversible_days: for how many business days a transfer can be reversed or refunded.
    four_eyes: roles, users, documents and policies need a second administrator, so there are two persons.
    """

    book: NewId
    name: Text
    currency: Currency
    administrators: Administrators
    time_zone: Label = "UTC"
    clock: Clock = "wall"
    chart: Annotated[tuple[ChartLine, ...], Meta(max_length=10_000), at.MaxLen(10_000)] = DEFAULT_CHART
    repeat_window_ms: Duration = REPEAT_WINDOW_MS
    repeat_cap: RepeatCap = REPEAT_CAP
    reversible_days: Annotated[int, Meta(ge=1, le=3660), at.Ge(1), at.Le(3660)] = REVERSIBLE_DAYS
    four_eyes: bool = False


class AdvanceTime(Command, tag="AdvanceTime"):
    """Move a commanded book's time on to `to_ms`; what falls due by then fires first."""

    to_ms: Millis


class ConfirmClock(Command, tag="ConfirmClock"):
    """Confirm, as an operator, that the wall clock is right after it jumped by more than a day."""

    reason: Text


class ClosePeriod(Command, tag="ClosePeriod"):
    """Close the open period through the given date: no later booking takes a value date on or before it."""

    through: Date


class SetRepeatWindow(Command, tag="SetRepeatWindow"):
    """Change how long (book time) and how many command ids the book remembers."""

    repeat_window_ms: Duration
    repeat_cap: RepeatCap


class RegisterAsset(Command, tag="RegisterAsset"):
    """Register an asset that ISO 4217 does not know, with `scale` decimal places (at most 9)."""

    asset: NewAsset
    scale: Annotated[int, Meta(ge=0, le=9), at.Ge(0), at.Le(9)]
    name: Text


class SystemBookOpened(Event, tag="SystemBookOpened"):
    """The log begins, written by `daybook init`. release: the version of deciding that is in force."""

    administrators: tuple[Administrator, ...]
    release: int
    epoch_id: str


class ReleaseActivated(Event, tag="ReleaseActivated"):
    """From here on commands are decided by another release; redecide compares only its own release's part."""

    release: int


class EpochBegun(Event, tag="EpochBegun"):
    """The log goes on elsewhere: restored, mirrored to another cluster, or in a topic that was made anew.

    epoch_id: names the log from here on; what it was before stands before.
    position: offset, in the commands as they are now, of the last one that an earlier epoch has answered; -1
        where there is none.   carried: how many of the commands are such, from the beginning on.
    carried_epoch, carried_cause: the first of those, as it was counted when it was answered.
    From here on `cause` counts in the commands as they are now, and `epoch` is one more.
    """

    epoch_id: str
    position: int
    carried: int
    carried_epoch: int
    carried_cause: int
    reason: str


class BookRegistered(Event, tag="BookRegistered"):
    """The system book's record that a book was opened on its partition."""

    opened: str


class BookOpened(Event, tag="BookOpened"):
    """The first event of a book. business_date: its first; midnight_ms: when the next one starts."""

    name: str
    currency: str
    administrators: tuple[Administrator, ...]
    time_zone: str
    clock: Clock
    chart: tuple[ChartLine, ...]
    repeat_window_ms: int
    repeat_cap: int
    reversible_days: int
    business_date: Date
    open_from: Date
    midnight_ms: int
    four_eyes: bool = False


class TimeAdvanced(Event, tag="TimeAdvanced"):
    """A commanded book's time was moved on; `at` is the new time."""


class TimerFailed(Event, tag="TimerFailed"):
    """A bug kept the timer in the envelope from being decided. It fires again at `again_at_ms`.

    restricted: what went wrong, for staff.
    """

    again_at_ms: int
    restricted: str


class ClockConfirmed(Event, tag="ClockConfirmed"):
    """An operator confirmed the clock up to `through_ms`."""

    through_ms: int
    reason: str


class BusinessDateRolled(Event, tag="BusinessDateRolled"):
    """A business day began: bookings take this date from here on. midnight_ms: when the next one starts."""

    business_date: Date
    midnight_ms: int


class PeriodClosed(Event, tag="PeriodClosed"):
    """Value dates before `open_from` are closed."""

    open_from: Date


class RepeatWindowSet(Event, tag="RepeatWindowSet"):
    """Command ids are remembered for `repeat_window_ms` of book time, at most `repeat_cap` of them."""

    repeat_window_ms: int
    repeat_cap: int


class AssetRegistered(Event, tag="AssetRegistered"):
    """The book knows an asset with `scale` decimal places."""

    asset: str
    scale: int
    name: str


COMMANDS = (OpenBook, AdvanceTime, ConfirmClock, ClosePeriod, SetRepeatWindow, RegisterAsset)
EVENTS = (
    SystemBookOpened,
    ReleaseActivated,
    EpochBegun,
    BookRegistered,
    BookOpened,
    TimeAdvanced,
    TimerFailed,
    ClockConfirmed,
    BusinessDateRolled,
    PeriodClosed,
    RepeatWindowSet,
    AssetRegistered,
)

"""Orders: payments that are to be made on a date, or again and again, without anybody asking each time."""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

from schemas.documents.calendars import Convention
from schemas.documents.document import DocumentId
from schemas.fields import END, NEW_ID, AccountId, Amount, AmountOrZero, Currency, Id, Label, Text
from schemas.instructions import To
from schemas.message import Command, Date, Event
from schemas.rejections import Reason

OrderId = Id
NewOrderId = Annotated[
    str,
    Meta(min_length=1, max_length=54, pattern=NEW_ID + END),
    StringConstraints(min_length=1, max_length=54, pattern=NEW_ID),
]
"""A new order's id. The payments that it makes are called `order/run`, at most 64 characters together; where
somebody has used that id already, `order/run.2` and so on.
"""
Every = Literal["once", "day", "week", "month", "quarter", "year"]
DayOfMonth = Annotated[int, Meta(ge=1, le=31), at.Ge(1), at.Le(31)]
"""Where a month has no such day, its last: 31 is the last day of every month."""
Runs = Annotated[int, Meta(ge=1, le=100_000), at.Ge(1), at.Le(100_000)]
Retries = Annotated[int, Meta(ge=0, le=10), at.Ge(0), at.Le(10)]
OrderState = Literal["active", "paused"]


class SchedulePayment(Command, tag="SchedulePayment"):
    """Pay once, on a date.

    amount: minor units of `currency`, the account's; fees are on top.
    on: the date; where it is no banking day of the calendar, the convention says where it goes.
    retries: on how many banking days after it is tried again where it is refused.
    """

    order: NewOrderId
    account: AccountId
    amount: Amount
    currency: Currency
    to: To
    on: Date
    reference: Text = ""
    channel: Label = ""
    calendar: DocumentId | None = None
    convention: Convention = "following"
    retries: Retries = 3


class CreateStandingOrder(Command, tag="CreateStandingOrder"):
    """Pay again and again.

    amount: of each run; where `above` is given, the most that a run pays of what is available above it.
    every, first, day: the dates are `first` and as many days, weeks... later; `day` names another day of the
        months, quarters or years, from the first such date on or after `first`.
    until: no date after it.   runs: no more dates than that, whatever becomes of them.
    calendar, convention, retries: as for a payment that is scheduled. Dates that fall together are one run.
    """

    order: NewOrderId
    account: AccountId
    amount: Amount
    currency: Currency
    to: To
    every: Literal["day", "week", "month", "quarter", "year"]
    first: Date
    day: DayOfMonth | None = None
    until: Date | None = None
    runs: Runs | None = None
    above: AmountOrZero | None = None
    reference: Text = ""
    channel: Label = ""
    calendar: DocumentId | None = None
    convention: Convention = "following"
    retries: Retries = 3


class ChangeStandingOrder(Command, tag="ChangeStandingOrder"):
    """Change what the runs to come pay, or until when they do. What is not given stays."""

    order: OrderId
    amount: Amount | None = None
    until: Date | None = None
    reference: Text | None = None


class PauseStandingOrder(Command, tag="PauseStandingOrder"):
    """Let no run happen until the order is resumed."""

    order: OrderId
    reason: Text


class ResumeStandingOrder(Command, tag="ResumeStandingOrder"):
    """Let runs happen again, from the next date on. Dates that have gone by meanwhile are not made up for."""

    order: OrderId


class CancelStandingOrder(Command, tag="CancelStandingOrder"):
    """End an order, or a payment that is scheduled."""

    order: OrderId
    reason: Text


class StandingOrderCreated(Event, tag="StandingOrderCreated"):
    """An order stands. `once` is a payment that is scheduled.

    date: the first date, before the calendar moves it.   number: of that date, counted from `first`.
    due_ms: book time of the first run.   creator: who asked for it, also where somebody else has approved.
    """

    order: str
    creator: str
    account: str
    amount: int
    currency: str
    to: To
    every: Every
    first: Date
    day: int
    until: Date | None
    runs: int | None
    above: int | None
    reference: Text
    channel: str
    calendar: str
    convention: Convention
    retries: int
    number: int
    date: Date
    due_ms: int


class StandingOrderChanged(Event, tag="StandingOrderChanged"):
    """The runs to come are others. ended: there is none left before the new end."""

    order: str
    amount: int
    until: Date | None
    reference: Text
    ended: bool


class StandingOrderPaused(Event, tag="StandingOrderPaused"):
    """No run happens until the order is resumed."""

    order: str
    reason: str


class StandingOrderResumed(Event, tag="StandingOrderResumed"):
    """Runs happen again. passed: how many dates have gone by.   date: the next one, None for none."""

    order: str
    passed: int
    number: int
    date: Date | None
    due_ms: int | None


class StandingOrderCancelled(Event, tag="StandingOrderCancelled"):
    """The order is over before its time."""

    order: str
    reason: str


class StandingOrderMoved(Event, tag="StandingOrderMoved"):
    """The run was due on a day that is no banking day any more. due_ms: when it is due instead."""

    order: str
    date: Date
    due_ms: int


class StandingOrderRun(Event, tag="StandingOrderRun"):
    """A run is made; the events of its payment follow in the same outcome.

    run: 1, 2, 3... of those that were made.   date: which one of the order's dates it was for.
    amount: minor units.   next_date, due_ms: the next run, None where the order is over.
    passed: how many dates fall together with this run and are none of their own.
    """

    order: str
    run: int
    date: Date
    amount: int
    number: int
    passed: int
    next_date: Date | None
    due_ms: int | None


class StandingOrderMissed(Event, tag="StandingOrderMissed"):
    """A run was refused, with its reason and figures, and is tried again at `due_ms`.

    attempt: 1 for the first one.
    """

    order: str
    date: Date
    attempt: int
    amount: int
    reason: Reason
    figures: dict[str, int | str]
    restricted: str
    due_ms: int


class StandingOrderSkipped(Event, tag="StandingOrderSkipped"):
    """A run does not happen: it was refused too often, or nothing is available above what is to stay.

    reason, figures: of the last refusal; reason is empty where there was nothing to pay.
    The rest is as in `StandingOrderRun`.
    """

    order: str
    date: Date
    attempt: int
    reason: Reason | Literal[""]
    figures: dict[str, int | str]
    restricted: str
    number: int
    passed: int
    next_date: Date | None
    due_ms: int | None


COMMANDS = (
    SchedulePayment,
    CreateStandingOrder,
    ChangeStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    CancelStandingOrder,
)
EVENTS = (
    StandingOrderCreated,
    StandingOrderChanged,
    StandingOrderPaused,
    StandingOrderResumed,
    StandingOrderCancelled,
    StandingOrderMoved,
    StandingOrderRun,
    StandingOrderMissed,
    StandingOrderSkipped,
)

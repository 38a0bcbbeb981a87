"""What is remembered of orders that stand: plain state, without `Book`."""

from __future__ import annotations

import msgspec

from book.known_ids import KnownIds
from schemas.documents.calendars import Convention
from schemas.instructions import To
from schemas.message import Date
from schemas.orders import Every


class Order(msgspec.Struct):
    """An order. Its fields are those of `StandingOrderCreated` and of the newest change.

    number, date: the next of its dates, before the calendar moves it.   passed: dates that are behind it.
    made: how many runs were.   attempt: how often the next one was refused already.
    creator: who created it; its payments are this user's or system's.
    """

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
    reference: str
    channel: str
    calendar: str
    convention: Convention
    retries: int
    number: int
    date: Date
    creator: str
    command: str
    issued_at_ms: int
    passed: int = 0
    made: int = 0
    attempt: int = 0
    paused: bool = False


class Orders(msgspec.Struct):
    """standing: by id.   known: the ids of all, so that none is used again."""

    standing: dict[str, Order] = {}
    known: KnownIds = msgspec.field(default_factory=KnownIds)

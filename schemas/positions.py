"""Positions: what the bank holds of each currency, what that cost, and what it is worth at the end of a day.

Amounts are minor units; a positive position is one that the bank is long in. Cost, results and values are in
the book's currency.
"""

from __future__ import annotations

import msgspec

from schemas.message import Date, Event
from schemas.postings import Posting


class PositionMoved(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A position after an exchange.

    amount, cost: of what is held.   realised: what was gained or lost so far on what is held no longer.
    """

    account: str
    amount: int
    cost: int
    realised: int


class Valued(msgspec.Struct, frozen=True, gc=False):
    """A position at the end of a business day.

    mid: the rate from its currency to the book's, to 12 places.   value: of the amount, half-even.
    result: all that was gained or lost, `value - cost + realised`.
    change: of the result since it was last valued, which is what is booked.
    """

    account: str
    currency: str
    amount: int
    cost: int
    realised: int
    mid: str
    value: int
    result: int
    change: int


class Revalued(Event, tag="Revalued"):
    """Positions were valued at the end of `business_date`, by the rates that were in force then.

    done: of how many positions of that day, in their order, this and the slices before it have told.
    """

    business_date: Date
    booking_date: Date
    value_date: Date
    documents: tuple[str, ...]
    values: tuple[Valued, ...]
    done: int
    last: bool
    postings: tuple[Posting, ...]


COMMANDS = ()
EVENTS = (Revalued,)

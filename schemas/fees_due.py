"""What accounts cost each month, charged at the end of day of its last one."""

from __future__ import annotations

from schemas.fees import Fee
from schemas.message import Date, Event
from schemas.postings import Posting


class FeesCharged(Event, tag="FeesCharged"):
    """A slice of the fees that accounts cost each month, and of those that could not be paid before.

    business_date: the day that they are for, also their value date.
    fees: what was charged.   unpaid: all that these accounts still owe, for want of funds, for a block or a
        party that is not active; asked for again after each day.   settled: accounts that owe no more.
    postings: the accounts' own, and sums over the slice.
    """

    business_date: Date
    fees: tuple[Fee, ...]
    unpaid: tuple[Fee, ...]
    settled: tuple[str, ...]
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]


COMMANDS = ()
EVENTS = (FeesCharged,)

"""Value dates: money that is booked and counts only later, and money that should have counted earlier."""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.fields import Text
from schemas.message import Command, Date, Event
from schemas.postings import Posting
from schemas.reserves import Reserve
from schemas.transfers import Leg

FURTHEST_DAYS = 366
"""How many days after its booking date a value date may be."""


class PostBackValued(Command, tag="PostBackValued"):
    """Post legs with a value date before the open period, which needs the approval of others.

    value_date: not before the year of the open period.   reason: why it comes so late.
    """

    legs: Annotated[tuple[Leg, ...], Meta(max_length=100_000), at.MaxLen(100_000)]
    value_date: Date
    reason: Text
    reference: Text = ""


class CreditReleased(Event, tag="CreditReleased"):
    """The value date of a transfer has come: what it credited can be spent. transfer: its seq."""

    transfer: int
    value_date: Date
    reserves: tuple[Reserve, ...]


class BackValuedPosted(Event, tag="BackValuedPosted"):
    """Several legs were posted with a value date before the open period."""

    booking_date: Date
    value_date: Date
    reason: str
    reference: str
    postings: tuple[Posting, ...]


COMMANDS = (PostBackValued,)
EVENTS = (CreditReleased, BackValuedPosted)

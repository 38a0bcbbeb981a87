"""Fees, as they travel with the event that is charged. Each is a posting of its own to an income account."""

from __future__ import annotations

import msgspec

from schemas.documents.document import LineId
from schemas.fields import AccountId, Seq, Text
from schemas.message import Command, Date, Event
from schemas.postings import Posting


class Fee(msgspec.Struct, frozen=True, gc=False):
    """A fee. tariff, version, line: what it was charged by.   account: who pays.   income: who receives.

    amount: minor units of `currency`, above zero; what is waived is no fee.
    """

    tariff: str
    version: int
    line: str
    account: str
    income: str
    amount: int
    currency: str


class WaiveFee(Command, tag="WaiveFee"):
    """Give a fee back to the account that paid it, whole.

    charged: seq of the event that it was charged with.   line: the line of the tariff that it was charged by.
    """

    charged: Seq
    account: AccountId
    line: LineId
    reason: Text


class FeeWaived(Event, tag="FeeWaived"):
    """The fee was given back: the postings it was charged with, the other way round."""

    charged: int
    fee: Fee
    reason: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]


COMMANDS = (WaiveFee,)
EVENTS = (FeeWaived,)

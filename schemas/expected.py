"""What should be found on a statement of a nostro account, as it travels with the event that says so.

An event type that expects entries has a field `expected`; reconciliation matches what they say.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.message import Date

ExpectedState = Literal["expected", "booked", "withdrawn"]


class ExpectedEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry that is expected at a nostro account, or what became of one that was.

    entry: its id, unique in the book: a payment's, or made of one with blanks, which no payment's id holds.
    account: the nostro account.
    amount: signed as it is posted there, minor units; positive is money that leaves us.
    state: expected; booked by us too; or withdrawn, so that none will come.
    """

    entry: str
    account: str
    amount: int
    currency: str
    value_date: Date
    reference: str
    state: ExpectedState

"""The one shape in which money moves: every money event carries postings that sum to zero per currency."""

from __future__ import annotations

from typing import Protocol

import msgspec

from schemas.message import Date


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One side of a movement.

    account: whose balance changes.      amount: signed minor units; positive credits the account.
    currency: ISO 4217 or asset code.    balance: the account's booked balance afterwards, minor units.
    """

    account: str
    amount: int
    currency: str
    balance: int


class MoneyEvent(Protocol):
    """Every event that has `postings`, whatever it is called. It also says when they count.

    booking_date: the business day they are booked on.   value_date: from when they bear interest.
    """

    seq: int
    book: str
    at: int

    @property
    def booking_date(self) -> Date: ...
    @property
    def value_date(self) -> Date: ...
    @property
    def postings(self) -> tuple[Posting, ...]: ...

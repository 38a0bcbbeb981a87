"""The one shape in which money moves: every money event carries postings that sum to zero per currency."""

from __future__ import annotations

import msgspec


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One side of a movement.

    account: whose balance changes.      amount: signed minor units; positive credits the account.
    currency: ISO 4217 or asset code.    balance: the account's booked balance afterwards, minor units.
    """

    account: str
    amount: int
    currency: str
    balance: int

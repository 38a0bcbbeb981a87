"""A movement of money, as limits and tariffs look at it."""

from __future__ import annotations

import msgspec

from book.state import Account
from schemas.fields import MovementKind

__all__ = ["Movement", "MovementKind"]


class Movement(msgspec.Struct, frozen=True, gc=False):
    """Money that would leave (or for `payment_in` reach) an account.

    amount: minor units of `currency`, the account's.   counterparty: the other account, or the payee's.
    channel: by which it was asked for.   corridor: `DE-FR`, from the account's country to the payee's.
    """

    kind: MovementKind
    account_id: str
    account: Account
    amount: int
    currency: str
    counterparty: str = ""
    channel: str = ""
    corridor: str = ""

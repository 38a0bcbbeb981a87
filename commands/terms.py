"""What a movement of money is up against: the limits that hold for it and the fees that it costs.

Transfers, payments, exchanges and holds all ask here, once, before they decide about funds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from book.state import Account, Book
from schemas.fees import Fee
from schemas.rejections import Rejection
from schemas.reserves import Use

MovementKind = Literal["transfer", "payment_out", "payment_in", "exchange", "hold", "standing"]


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


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What the movement costs and which limits it uses up."""

    fees: tuple[Fee, ...] = ()
    uses: tuple[Use, ...] = ()

    def fee_amount(self) -> int:
        """All fees together, minor units."""
        return sum(fee.amount for fee in self.fees)


NO_TERMS = Terms()


def terms_of(book: Book, movement: Movement, at_ms: int, *, reserved: bool = False) -> Terms | Rejection:
    """The terms of a movement by the documents in force, or why it may not be.

    reserved: what is used is not final yet (a hold, a payment that waits) and is settled or given back later.
    """
    return NO_TERMS


def fee_legs(fees: tuple[Fee, ...]) -> list[tuple[str, int]]:
    """The postings that pay the fees, as (account, signed amount)."""
    return [leg for fee in fees for leg in ((fee.account, -fee.amount), (fee.income, fee.amount))]

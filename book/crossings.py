"""What a book remembers of payments between it and others: what is on its way, and what it has answered.

Nothing here knows the book that it belongs to.
"""

from __future__ import annotations

from bisect import insort

import msgspec

from schemas.fees import Fee
from schemas.message import Date
from schemas.rejections import Reason
from schemas.reserves import Use


class Crossing(msgspec.Struct, gc=False):
    """A payment that was sent and is not answered. at, seq: of its CrossBookSent."""

    transfer: str
    account: str
    amount: int
    currency: str
    to_account: str
    inter_book: str
    value_date: Date
    reference: str
    fees: tuple[Fee, ...]
    uses: tuple[Use, ...]
    at: int
    seq: int


class Answered(msgspec.Struct, gc=False):
    """A payment that was received or refused, as long as its sender may ask for it again.

    at, seq: of the answer.   refused: the reason, None where it was received.   The rest is what was asked.
    """

    transfer: str
    sent_seq: int
    account: str
    amount: int
    currency: str
    value_date: Date
    reference: str
    at: int
    seq: int
    refused: Reason | None = None
    figures: dict[str, int | str] = {}


class Other(msgspec.Struct):
    """Another book. sent: the number of the newest payment to it.   on_the_way: of those, by number.

    answered: payments from it, by number, that it has not settled.   settled_through: it has settled all up
    to this number.   settled_beyond: and these, in order.
    """

    sent: int = 0
    on_the_way: dict[int, Crossing] = {}
    answered: dict[int, Answered] = {}
    settled_through: int = 0
    settled_beyond: list[int] = []

    def is_settled(self, number: int) -> bool:
        """Whether the other book has settled its payment of this number."""
        return number <= self.settled_through or number in self.settled_beyond

    def through_with(self, number: int) -> int:
        """What `settled_through` is when this payment is settled too."""
        through = self.settled_through
        if number != through + 1:
            return through
        through = number
        for beyond in self.settled_beyond:
            if beyond != through + 1:
                break
            through = beyond
        return through

    def settle(self, number: int, through: int) -> None:
        """Forget a payment, and that it was there as far as the numbers before it say so."""
        del self.answered[number]
        insort(self.settled_beyond, number)
        self.settled_beyond = [one for one in self.settled_beyond if one > through]
        self.settled_through = through


class Crossings(msgspec.Struct):
    """others: by book.   on_the_way: the book that each payment is going to, by the payment's name."""

    others: dict[str, Other] = {}
    on_the_way: dict[str, str] = {}

    def other(self, book: str) -> Other:
        """What is remembered of the other book; made where it is new."""
        other = self.others.get(book)
        if other is None:
            self.others[book] = other = Other()
        return other

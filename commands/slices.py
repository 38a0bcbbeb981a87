"""What a slice of end-of-day work is, and the postings that its many small amounts add up to."""

from __future__ import annotations

from collections.abc import Sequence

from book.state import Account, Book
from commands.accounts import is_blocked
from schemas.fields import INT64_MAX
from schemas.message import Event
from schemas.postings import Posting

Slice = tuple[tuple[Event, ...], int | None]
"""The events of a slice, and how far the step is done; None where it is done."""


def chargeable(book: Book, account: Account, received: int = 0) -> int:
    """How much end of day can take from an account: it passes no block and no floor, as no movement does."""
    if account.blocks is not None and is_blocked(account, "debits", book.at):
        return 0
    if book.parties[account.party].status != "active":
        return 0
    return max(0, account.booked - account.held + account.overdraft + received)


class Sums:
    """Amounts by account, summed in the order in which the accounts came."""

    def __init__(self, book: Book) -> None:
        self._accounts = book.accounts
        self._sums: dict[str, int] = {}

    def add(self, legs: Sequence[tuple[str, int]]) -> bool:
        """Add (account, signed amount)s, all or none. False: a balance would leave the range of 64 bits."""
        sums = self._sums
        before = {account_id: sums.get(account_id) for account_id, _ in legs}
        for account_id, amount in legs:
            sums[account_id] = sums.get(account_id, 0) + amount
        if all(abs(self._accounts[one].booked + sums[one]) <= INT64_MAX for one in before):
            return True
        for account_id, amount_before in before.items():
            if amount_before is None:
                del sums[account_id]
            else:
                sums[account_id] = amount_before
        return False

    def postings(self) -> tuple[Posting, ...]:
        """One posting an account whose balance moves."""
        return tuple(
            Posting(one, amount, self._accounts[one].currency, self._accounts[one].booked + amount)
            for one, amount in self._sums.items()
            if amount
        )

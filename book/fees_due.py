"""What changes the monthly fees that accounts have paid, or still owe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from book.transfers import post
from schemas.fees import Fee
from schemas.fees_due import FeesCharged


def fees_charged(book: Book, event: FeesCharged) -> None:
    """The fees are paid, or remembered until they can be."""
    post(book, event.postings)
    unpaid = book.end_of_day.unpaid
    for account_id in event.settled:
        del unpaid[account_id]
    left: dict[str, tuple[Fee, ...]] = {}
    for fee in event.unpaid:
        left[fee.account] = (*left.get(fee.account, ()), fee)
    unpaid |= left


EVOLVE: dict[type, Callable[[Book, Any], None]] = {FeesCharged: fees_charged}

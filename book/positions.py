"""What the revaluation of positions changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from book.transfers import post
from schemas.positions import Revalued


def revalued(book: Book, event: Revalued) -> None:
    """The results are booked up to that day; the day is done with its last slice."""
    post(book, event.postings)
    for one in event.values:
        position = book.fx.positions[one.account]
        position.result += one.change
        position.value = one.value
    if event.last:
        del book.fx.closing[event.business_date.toordinal()]


EVOLVE: dict[type, Callable[[Book, Any], None]] = {Revalued: revalued}

"""What must hold of value dates outside the open period: what counts later is not to be had, and what counts
earlier has been approved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from book.value_dates import credited, earliest
from schemas.message import Event
from schemas.postings import MoneyEvent
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from schemas.value_dates import FURTHEST_DAYS, BackValuedPosted, CreditReleased

Found = Callable[[str], None]


def outside(book: Book, event: MoneyEvent, found: Found) -> None:
    """Check an event whose value date is not within the open period up to its booking date."""
    if event.value_date < book.open_from and isinstance(event, BackValuedPosted):
        if event.value_date < earliest(book):
            found(f"its value date {event.value_date} is before {earliest(book)}, in a closed year")
        return
    if event.value_date > event.booking_date:
        if isinstance(event, TransferPosted | EntriesPosted):
            _deferred(book, event, found)
            return
        if isinstance(event, TransferReversed | TransferRefunded):
            _taken_back(book, event, found)
            return
    found(
        f"its value date {event.value_date} is not within {book.open_from} to {event.booking_date}, "
        "the open period"
    )


def _deferred(book: Book, event: TransferPosted | EntriesPosted, found: Found) -> None:
    if (event.value_date - event.booking_date).days > FURTHEST_DAYS:
        found(f"its value date {event.value_date} is more than {FURTHEST_DAYS} days ahead")
    known = tuple(one for one in event.postings if one.account in book.accounts)
    reserved = {one.account: one.amount for one in event.reserves}
    if reserved != credited(book, known) or not event.available_at_ms > event.at:
        found(f"its value date {event.value_date} is ahead, and what it credits can be spent before")


def _taken_back(book: Book, event: TransferReversed | TransferRefunded, found: Found) -> None:
    waiting = book.deferred.get(event.transfer)
    if waiting is None or waiting.value_date != event.value_date:
        found(f"its value date {event.value_date} is ahead, and that of what it takes back is not")


def _released(book: Book, event: CreditReleased, found: Found) -> None:
    waiting = book.deferred.get(event.transfer)
    if waiting is None or waiting.value_date != event.value_date:
        found(f"it releases {event.transfer}, which does not wait for {event.value_date}")
    elif book.business_date < event.value_date or event.at < waiting.available_at_ms:
        found(f"it releases {event.transfer} before its value date {event.value_date}")


OTHERS: dict[type[Event], Callable[[Book, Any, Found], None]] = {CreditReleased: _released}

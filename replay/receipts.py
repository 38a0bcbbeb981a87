"""What verify asks of payments in: that the postings say what the event says, that what leaves suspense had
come there, that no more goes back than came, and which items are open at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from book.state import Book
from commands.terms import fee_legs
from schemas.payments_in import (
    ReceiptCredited,
    ReceiptParked,
    ReceiptRefunded,
    ReceiptReturned,
    SuspenseResolved,
)

Found = Callable[[str], None]
"""Told what is wrong with an event, in a sentence."""
ReceiptEvent = ReceiptCredited | ReceiptParked | SuspenseResolved | ReceiptReturned | ReceiptRefunded


class Item(msgspec.Struct, gc=False):
    """An open item of a suspense account: money that waits there."""

    suspense: str
    nostro: str
    amount: int


class OpenItems:
    """One book's suspense, kept a second time from what came and what went."""

    def __init__(self) -> None:
        self._open: dict[str, Item] = {}

    def check(self, book: Book, event: ReceiptEvent, found: Found) -> None:
        """Check an event about a receipt against what waits, before the book applies it."""
        match event:
            case ReceiptCredited():
                self._new(book, event, found)
                _legs(event, [(event.nostro, -event.amount), (event.account, event.amount)], found)
            case ReceiptParked():
                self._new(book, event, found)
                _legs(event, [(event.nostro, -event.amount), (event.suspense, event.amount)], found)
                self._open[event.receipt] = Item(event.suspense, event.nostro, event.amount)
            case SuspenseResolved() | ReceiptReturned():
                to = event.account if isinstance(event, SuspenseResolved) else event.nostro
                _legs(event, [(event.suspense, -event.amount), (to, event.amount)], found)
                self._leaves(event, found)
            case ReceiptRefunded():
                _legs(event, [(event.account, -event.amount), (event.nostro, event.amount)], found)
                _refunded(book, event, found)

    def _new(self, book: Book, event: ReceiptCredited | ReceiptParked, found: Found) -> None:
        if event.receipt in self._open or event.receipt in book.receipts.known.ids:
            found(f"{event.receipt} was received before")
        if event.amount <= 0:
            found(f"{event.amount} was received")

    def _leaves(self, event: SuspenseResolved | ReceiptReturned, found: Found) -> None:
        item = self._open.pop(event.receipt, None)
        if item is None:
            found(f"{event.receipt} does not wait in suspense")
        elif (item.suspense, item.amount) != (event.suspense, event.amount):
            found(
                f"{event.amount} of {event.receipt} leaves {event.suspense}, and {item.amount} waits in "
                f"{item.suspense}"
            )
        elif isinstance(event, ReceiptReturned) and event.nostro != item.nostro:
            found(f"{event.receipt} goes back from {event.nostro}, and had come to {item.nostro}")

    def differences(self, book: Book) -> Iterator[str]:
        """At the end: where the state has other open items than what came and has not gone."""
        parked = book.receipts.parked
        for receipt in sorted(self._open.keys() | parked.keys()):
            here, there = self._open.get(receipt), parked.get(receipt)
            if here is None or there is None:
                where = "in the state alone" if here is None else "and not in the state"
                yield f"{receipt} waits in suspense {where}"
            elif (here.suspense, here.amount) != (there.suspense, there.amount):
                yield (
                    f"{receipt} waits with {there.amount} in {there.suspense} in the state, and with "
                    f"{here.amount} in {here.suspense} by its events"
                )


def _refunded(book: Book, event: ReceiptRefunded, found: Found) -> None:
    one = book.receipts.credited.get(event.receipt)
    if one is None:
        found(f"it refunds {event.receipt}, which was not credited")
        return
    left = one.amount - one.refunded
    if not 0 < event.amount <= left or event.refunded_after != one.refunded + event.amount:
        found(f"it refunds {event.amount} of {event.receipt}, of which {left} was left")
    if (event.account, event.nostro) != (one.account, one.nostro):
        found(f"it refunds {event.receipt} from {event.account}, and {one.account} was credited")


def _legs(event: Any, legs: Iterable[tuple[str, int]], found: Found) -> None:
    if [(one.account, one.amount) for one in event.postings] != [
        *legs,
        *fee_legs(getattr(event, "fees", ())),
    ]:
        found("its postings are not what it says")

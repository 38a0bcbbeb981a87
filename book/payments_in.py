"""What changes when a payment comes in, and when something becomes of what waits in suspense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.features import counting
from book.receipt import Credited, Parked
from book.reserves import use
from book.state import Book
from book.transfers import post
from schemas.documents.suspense import Suspense
from schemas.payments_in import (
    ReceiptCredited,
    ReceiptParked,
    ReceiptRefunded,
    ReceiptReturned,
    SuspenseAged,
    SuspenseAssigned,
    SuspenseResolved,
)


def suspense_in_force(book: Book, document: str, body: Suspense) -> None:
    """What comes in from here on is looked after by these rules."""
    book.receipts.rules = body


def suspense_timer(receipt: str) -> str:
    """The id of the timer that says how old something in suspense is."""
    return f"suspense\n{receipt}"


def credited(book: Book, event: ReceiptCredited) -> None:
    """The money is here and the customer has it."""
    post(book, event.postings)
    use(book, event.uses)
    _received(book, event)
    book.receipts.credited[event.receipt] = Credited(
        event.account, event.nostro, event.rail, event.amount, event.currency
    )
    _counted(book, event)


def _counted(book: Book, event: ReceiptCredited | SuspenseResolved) -> None:
    keeping = book.in_force.keeping
    if keeping is not None:
        counting.moved_in(book, keeping, event.account, event.amount, event.at)


def parked(book: Book, event: ReceiptParked) -> None:
    """The money is here and waits."""
    post(book, event.postings)
    _received(book, event)
    book.receipts.parked[event.receipt] = Parked(
        rail=event.rail,
        nostro=event.nostro,
        suspense=event.suspense,
        amount=event.amount,
        currency=event.currency,
        payer=event.payer,
        end_to_end=event.end_to_end,
        owner=event.owner,
        parked_ms=event.at,
        ages_ms=event.ages_ms,
    )
    if event.ages_ms:
        book.timers.set(suspense_timer(event.receipt), event.ages_ms[0])


def _received(book: Book, event: ReceiptCredited | ReceiptParked) -> None:
    receipts = book.receipts
    assert event.receipt not in receipts.known.ids, "what is received is received once"
    assert event.receipt not in receipts.parked, "what waits stays"
    for forgotten in receipts.known.add(event.receipt, event.at):
        receipts.credited.pop(forgotten, None)


def aged(book: Book, event: SuspenseAged) -> None:
    """It was said how old it is."""
    one = book.receipts.parked[event.receipt]
    assert event.step == one.step + 1, "ages are reached one by one"
    one.step = event.step
    if event.next_ms is None:
        book.timers.remove(suspense_timer(event.receipt))
    else:
        book.timers.set(suspense_timer(event.receipt), event.next_ms)


def assigned(book: Book, event: SuspenseAssigned) -> None:
    """Somebody else looks after it."""
    book.receipts.parked[event.receipt].owner = event.owner


def resolved(book: Book, event: SuspenseResolved) -> None:
    """It waits no longer, and can be refunded like anything that was credited."""
    post(book, event.postings)
    use(book, event.uses)
    one = _gone(book, event.receipt)
    book.receipts.credited[event.receipt] = Credited(
        event.account, one.nostro, one.rail, one.amount, one.currency
    )
    _counted(book, event)


def returned(book: Book, event: ReceiptReturned) -> None:
    """It waits no longer, and has gone."""
    post(book, event.postings)
    _gone(book, event.receipt)


def _gone(book: Book, receipt: str) -> Parked:
    book.timers.remove(suspense_timer(receipt))
    return book.receipts.parked.pop(receipt)


def refunded(book: Book, event: ReceiptRefunded) -> None:
    """A part of it has gone back."""
    post(book, event.postings)
    one = book.receipts.credited[event.receipt]
    assert one.refunded + event.amount == event.refunded_after <= one.amount, "no more goes back than came"
    assert event.part == one.parts + 1, "parts are counted"
    one.refunded, one.parts = event.refunded_after, event.part


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    ReceiptCredited: credited,
    ReceiptParked: parked,
    SuspenseAged: aged,
    SuspenseAssigned: assigned,
    SuspenseResolved: resolved,
    ReceiptReturned: returned,
    ReceiptRefunded: refunded,
}

"""What changes when a payment between books is sent, answered, settled and acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.crossings import Answered, Crossing, Other
from book.features import counting
from book.reserves import reserve, use
from book.state import Book
from book.transfers import post
from schemas.crossbook import (
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
)


def sent(book: Book, event: CrossBookSent) -> None:
    """Funds and limits are reserved, and the payment is on its way."""
    other = book.crossings.other(event.to_book)
    assert event.number == other.sent + 1, "payments to a book are counted without a gap"
    assert event.transfer not in book.crossings.on_the_way, "a payment on its way has its name for itself"
    reserve(book, event.reserves)
    use(book, event.uses)
    other.sent = event.number
    other.on_the_way[event.number] = Crossing(
        transfer=event.transfer,
        account=event.account,
        amount=event.amount,
        currency=event.currency,
        to_account=event.to_account,
        inter_book=event.inter_book,
        value_date=event.value_date,
        reference=event.reference,
        fees=event.fees,
        uses=event.uses,
        at=event.at,
        seq=event.seq,
    )
    book.crossings.on_the_way[event.transfer] = event.to_book
    keeping = book.in_force.keeping
    if keeping is not None:
        payee = f"{event.to_book}/{event.to_account}"
        counting.moved_out(
            book, keeping, event.account, event.amount, event.at, payee, event.channel, event.corridor
        )


def received(book: Book, event: CrossBookReceived) -> None:
    """The money is here, and the answer is remembered."""
    post(book, event.postings)
    use(book, event.uses)
    _answered(book, event).refused = None
    keeping = book.in_force.keeping
    if keeping is not None:
        counting.moved_in(book, keeping, event.account, event.amount, event.at)


def refused(book: Book, event: CrossBookRefused) -> None:
    """The refusal is remembered."""
    answered = _answered(book, event)
    answered.refused, answered.figures = event.reason, event.figures


def _answered(book: Book, event: CrossBookReceived | CrossBookRefused) -> Answered:
    other = book.crossings.other(event.from_book)
    number = event.number
    assert not other.is_settled(number), "a payment that is settled is never answered again"
    assert number not in other.answered, "a payment is answered once"
    other.answered[number] = answered = Answered(
        transfer=event.transfer,
        sent_seq=event.sent_seq,
        account=event.account,
        amount=event.amount,
        currency=event.currency,
        value_date=event.sent_date,
        reference=event.reference,
        at=event.at,
        seq=event.seq,
    )
    return answered


def completed(book: Book, event: CrossBookCompleted) -> None:
    """The payer has paid."""
    post(book, event.postings)
    _settled(book, event)


def released(book: Book, event: CrossBookReleased) -> None:
    """The payer has everything back."""
    _settled(book, event)


def _settled(book: Book, event: CrossBookCompleted | CrossBookReleased) -> None:
    reserve(book, event.reserves)
    use(book, event.uses)
    crossing = _other(book, event.to_book).on_the_way.pop(event.number)
    assert crossing.transfer == event.transfer, "a payment keeps its name"
    del book.crossings.on_the_way[event.transfer]


def acknowledged(book: Book, event: CrossBookAcknowledged) -> None:
    """The payment may be forgotten."""
    other = _other(book, event.from_book)
    assert event.settled_through == other.through_with(event.number), "what is settled follows from before"
    other.settle(event.number, event.settled_through)


def _other(book: Book, name: str) -> Other:
    return book.crossings.others[name]


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    CrossBookSent: sent,
    CrossBookReceived: received,
    CrossBookRefused: refused,
    CrossBookCompleted: completed,
    CrossBookReleased: released,
    CrossBookAcknowledged: acknowledged,
}

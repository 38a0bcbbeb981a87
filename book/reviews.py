"""What begins reviews of payments and ends them. A review is over when its payment no longer waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from book.payments import leaves_queue, review_timer
from book.reserves import reserve, use
from book.review import Review
from book.state import Book
from schemas.reviews import PaymentDeclined, ReviewBegan, ReviewEscalated, ReviewReleased


def review_began(book: Book, event: ReviewBegan) -> None:
    """The payment waits for a person, and its time runs."""
    assert event.payment not in book.payments.reviews, "a payment is reviewed once"
    book.payments.reviews[event.payment] = Review(
        maker=event.maker,
        person=event.person,
        since_ms=event.at,
        within_ms=event.within_ms,
        then=event.then,
    )
    book.timers.set(review_timer(event.payment), event.answer_by_ms)


def review_escalated(book: Book, event: ReviewEscalated) -> None:
    """The review is left to others."""
    review = book.payments.reviews[event.payment]
    assert event.level == review.level + 1, "a review goes up by one level"
    left_by = (*review.left_by, event.person) if event.person else review.left_by
    book.payments.reviews[event.payment] = replace(review, level=event.level, left_by=left_by)
    if event.answer_by_ms is None:
        book.timers.remove(review_timer(event.payment))
    else:
        book.timers.set(review_timer(event.payment), event.answer_by_ms)


def review_released(book: Book, event: ReviewReleased) -> None:
    """The payment waits for no review any more; the next event says what becomes of it."""
    leaves_queue(book, event.payment, book.payments.by_id[event.payment])


def payment_declined(book: Book, event: PaymentDeclined) -> None:
    """The payment will not be sent, and its money is free again."""
    reserve(book, event.reserves)
    use(book, event.uses)
    payment = book.payments.by_id[event.payment]
    assert payment.status == "waiting", "only what was not sent is declined"
    leaves_queue(book, event.payment, payment)
    payment.status = "declined"
    payment.payee = None


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    ReviewBegan: review_began,
    ReviewEscalated: review_escalated,
    ReviewReleased: review_released,
    PaymentDeclined: payment_declined,
}

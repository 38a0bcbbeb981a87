"""What turns stop switches on and off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.payment import Stop
from book.payments import release
from book.state import Book
from schemas.stops import PaymentsResumed, PaymentsStopped


def payments_stopped(book: Book, event: PaymentsStopped) -> None:
    """No payment is sent that falls under the stop."""
    book.payments.stops[event.stop] = Stop(event.scope, event.value, event.reason, event.actor, event.at)


def payments_resumed(book: Book, event: PaymentsResumed) -> None:
    """The stop is gone; what waited for it is looked at again."""
    del book.payments.stops[event.stop]
    release(book, "stopped", event.stop, event.at)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    PaymentsStopped: payments_stopped,
    PaymentsResumed: payments_resumed,
}

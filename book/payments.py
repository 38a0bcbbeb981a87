"""What changes payments up to their dispatch: submitted, waiting, released, sent or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.features import counting
from book.payment import Payment, waiting_key
from book.reserves import reserve, use
from book.state import Book
from book.transfers import post
from schemas.payments import (
    PartyScreened,
    PaymentCancelled,
    PaymentDispatched,
    PaymentScreened,
    PaymentsReleased,
    PaymentSubmitted,
    PaymentWaiting,
    RecallRequested,
)


def due_timer(payment: str) -> str:
    """The id of the timer that looks at a waiting payment again."""
    return f"payment_due\n{payment}"


def silence_timer(payment: str) -> str:
    """The id of the timer that sends a payment to repair whose rail does not answer."""
    return f"payment_silence\n{payment}"


def review_timer(payment: str) -> str:
    """The id of the timer that ends the time which people have to review a payment."""
    return f"review\n{payment}"


def release_timer(key: str) -> str:
    """The id of the timer that looks at what waited under a key, slice by slice."""
    return f"payments_released\n{key}"


def release(book: Book, reason: str, by: str, at_ms: int) -> None:
    """What payments waited for has changed, by the event that is being applied: from now on they are looked
    at again.
    """
    key = waiting_key(reason, by)
    if key in book.payments.waiting:
        book.payments.releasing[key] = book.seq + 1
        book.timers.set(release_timer(key), at_ms)


def payment_submitted(book: Book, event: PaymentSubmitted) -> None:
    """The payment is known, and its money reserved."""
    reserve(book, event.reserves)
    use(book, event.uses)
    assert event.payment not in book.payments.by_id, "a payment is submitted once"
    book.payments.by_id[event.payment] = Payment(
        account=event.account,
        amount=event.amount,
        currency=event.currency,
        rail=event.rail,
        payee=event.payee,
        purpose=event.purpose,
        reference=event.reference,
        end_to_end=event.end_to_end,
        execution_date=event.execution_date,
        screening=event.screening,
        uses=event.uses,
        fees=event.fees,
        owed_to=event.account,
    )
    keeping = book.in_force.keeping
    if keeping is not None:
        party = book.accounts[event.account].party
        counting.moved_out(
            book,
            keeping,
            event.account,
            event.amount,
            event.at,
            event.payee.account,
            event.channel,
            f"{book.parties[party].country if party else ''}-{event.payee.country}",
            event.origin,
        )


def payment_waiting(book: Book, event: PaymentWaiting) -> None:
    """The payment waits under a key, and perhaps for a time."""
    payment = book.payments.by_id[event.payment]
    assert payment.status == "waiting", "only what was not sent waits"
    leaves_queue(book, event.payment, payment)
    payment.waits_for = waiting_key(event.reason, event.by)
    if event.due_ms is None:
        book.payments.waiting.setdefault(payment.waits_for, {})[event.payment] = event.seq
        book.timers.remove(due_timer(event.payment))
    else:
        book.timers.set(due_timer(event.payment), event.due_ms)


def leaves_queue(book: Book, payment_id: str, payment: Payment) -> None:
    """The payment waits for nothing, and whatever review there was of it is over."""
    queue = book.payments.waiting.get(payment.waits_for)
    if queue is not None and payment_id in queue:
        del queue[payment_id]
        if not queue:
            del book.payments.waiting[payment.waits_for]
    payment.waits_for = ""
    if payment_id in book.payments.reviews:
        del book.payments.reviews[payment_id]
        book.timers.remove(review_timer(payment_id))


def payment_dispatched(book: Book, event: PaymentDispatched) -> None:
    """The payment's money is in transit, and its rail is told."""
    post(book, event.postings)
    reserve(book, event.reserves)
    use(book, event.uses)
    payment = book.payments.by_id[event.payment]
    assert payment.status == "waiting", "a payment is dispatched once"
    leaves_queue(book, event.payment, payment)
    payment.status = "dispatched"
    payment.nostro, payment.in_transit, payment.suspense = event.nostro, event.in_transit, event.suspense
    payment.attempt = 1
    payment.charged_seq = event.seq
    payment.told_seq, payment.told_at_ms = event.seq, event.at
    book.timers.remove(due_timer(event.payment))
    book.timers.set(silence_timer(event.payment), event.answer_by_ms)


def payment_cancelled(book: Book, event: PaymentCancelled) -> None:
    """The payment will not be sent, and its money is free again."""
    reserve(book, event.reserves)
    use(book, event.uses)
    payment = book.payments.by_id[event.payment]
    assert payment.status == "waiting", "only what was not sent is cancelled"
    leaves_queue(book, event.payment, payment)
    payment.status = "cancelled"
    payment.payee = None
    book.timers.remove(due_timer(event.payment))


def recall_requested(book: Book, event: RecallRequested) -> None:
    """The rail is asked to bring the payment back."""
    payment = book.payments.by_id[event.payment]
    payment.recall = "requested"
    payment.told_seq, payment.told_at_ms = event.seq, event.at


def party_screened(book: Book, event: PartyScreened) -> None:
    """Dispatch asks for the new result; what waited for a good one is looked at again."""
    book.parties[event.party].screening = event.state
    if event.state == "cleared":
        release(book, "party_screening", event.party, event.at)


def payment_screened(book: Book, event: PaymentScreened) -> None:
    """Same for the payment's own."""
    book.payments.by_id[event.payment].screening = event.state
    if event.state == "cleared":
        release(book, "payment_screening", event.payment, event.at)


def payments_released(book: Book, event: PaymentsReleased) -> None:
    """A slice was looked at; the next one is at its time."""
    key = waiting_key(event.reason, event.by)
    if event.next_ms is None:
        del book.payments.releasing[key]
        book.timers.remove(release_timer(key))
    else:
        book.timers.set(release_timer(key), event.next_ms)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    PaymentSubmitted: payment_submitted,
    PaymentWaiting: payment_waiting,
    PaymentDispatched: payment_dispatched,
    PaymentCancelled: payment_cancelled,
    RecallRequested: recall_requested,
    PartyScreened: party_screened,
    PaymentScreened: payment_screened,
    PaymentsReleased: payments_released,
}

"""What changes payments after their dispatch, as their rails report it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.features.counting import came_back
from book.fees import returned as fees_returned
from book.payment import IN_TRANSIT, Payment, Repair
from book.payments import silence_timer
from book.reserves import use
from book.state import Book
from book.transfers import post
from schemas.rail_reports import (
    PaymentAccepted,
    PaymentFailed,
    PaymentReturned,
    PaymentSettled,
    RecallRefused,
    RepairNeeded,
)


def payment_accepted(book: Book, event: PaymentAccepted) -> None:
    """The rail has it, so it needs no repair until it is silent again."""
    payment = book.payments.by_id[event.payment]
    payment.status = "accepted"
    payment.repair = None
    book.timers.set(silence_timer(event.payment), event.answer_by_ms)


def payment_settled(book: Book, event: PaymentSettled) -> None:
    """The nostro account has paid: for the payer, or for suspense where the payer was paid back before."""
    post(book, event.postings)
    payment = book.payments.by_id[event.payment]
    assert not payment.settled, "a payment is settled once"
    assert event.late == (payment.status not in IN_TRANSIT), "what was given back is settled late"
    payment.settled = True
    if event.late:
        payment.status = "disputed"
        payment.owed_to = payment.suspense
        payment.returned = 0
    else:
        payment.status = "settled"
        _final(book, event.payment, payment)


def payment_failed(book: Book, event: PaymentFailed) -> None:
    """Everything is given back."""
    post(book, event.postings)
    use(book, event.uses)
    payment = book.payments.by_id[event.payment]
    assert payment.status in IN_TRANSIT, "only what is in transit fails"
    assert event.charged == payment.charged_seq, "the fees that go back are those of its dispatch"
    payment.status = "failed"
    fees_returned(book, payment.charged_seq)
    _final(book, event.payment, payment)
    came_back(book, event.account, event.amount, event.at)


def payment_returned(book: Book, event: PaymentReturned) -> None:
    """Money came back."""
    post(book, event.postings)
    payment = book.payments.by_id[event.payment]
    returned = payment.returned + event.amount
    assert returned == event.returned_after <= payment.amount, "returns never exceed the payment"
    assert event.left == payment.amount - returned, "what is left is what has not come back"
    payment.returned = returned
    payment.returns += (event.rail_reference,)
    if event.recalled:
        payment.recall = "accepted"
    else:
        came_back(book, event.account, event.amount, event.at)
    if not payment.left:
        payment.status = "recalled" if event.recalled else "returned"
        _final(book, event.payment, payment)


def recall_refused(book: Book, event: RecallRefused) -> None:
    """The payment stays where it is."""
    book.payments.by_id[event.payment].recall = "refused"


def repair_needed(book: Book, event: RepairNeeded) -> None:
    """The payment is in the queue; a proposal for another reason no longer counts."""
    book.payments.by_id[event.payment].repair = Repair(event.reason, event.at)
    book.timers.remove(silence_timer(event.payment))


def _final(book: Book, payment_id: str, payment: Payment) -> None:
    """The outcome is known: nothing is awaited, and nothing is sent any more."""
    payment.repair = None
    payment.payee = None
    book.timers.remove(silence_timer(payment_id))


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    PaymentAccepted: payment_accepted,
    PaymentSettled: payment_settled,
    PaymentFailed: payment_failed,
    PaymentReturned: payment_returned,
    RecallRefused: recall_refused,
    RepairNeeded: repair_needed,
}

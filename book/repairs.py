"""What people do about payments in repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.payment import Proposal
from book.payments import silence_timer
from book.state import Book
from book.transfers import post
from schemas.repairs import PaymentCharged, PaymentQueried, PaymentResent, RepairClosed, RepairProposed


def repair_proposed(book: Book, event: RepairProposed) -> None:
    """The first of two persons has said what is to be done."""
    repair = book.payments.by_id[event.payment].repair
    assert repair is not None, "only what is in repair is repaired"
    repair.proposal = Proposal(event.action, event.proposer, event.person)


def payment_queried(book: Book, event: PaymentQueried) -> None:
    """The rail is asked; it stays in the queue until it has said something."""
    payment = book.payments.by_id[event.payment]
    payment.asked = event.asked
    payment.told_seq, payment.told_at_ms = event.seq, event.at
    book.timers.set(silence_timer(event.payment), event.answer_by_ms)


def payment_resent(book: Book, event: PaymentResent) -> None:
    """The rail is told again; same."""
    payment = book.payments.by_id[event.payment]
    assert event.attempt == payment.attempt + 1, "attempts count"
    payment.attempt = event.attempt
    payment.told_seq, payment.told_at_ms = event.seq, event.at
    book.timers.set(silence_timer(event.payment), event.answer_by_ms)


def payment_charged(book: Book, event: PaymentCharged) -> None:
    """The payer has paid for it after all, so what comes back is the payer's."""
    post(book, event.postings)
    payment = book.payments.by_id[event.payment]
    payment.status = "settled"
    payment.owed_to = payment.account


def repair_closed(book: Book, event: RepairClosed) -> None:
    """The payment is out of the queue."""
    book.payments.by_id[event.payment].repair = None


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    RepairProposed: repair_proposed,
    PaymentQueried: payment_queried,
    PaymentResent: payment_resent,
    PaymentCharged: payment_charged,
    RepairClosed: repair_closed,
}

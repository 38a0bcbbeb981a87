"""What verify asks of holds and payments: that the postings say what the event says, within what was held,
sent and settled before, and that no more comes back than left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from book.payment import Payment
from book.state import Book
from commands.terms import fee_legs
from schemas.holds import HoldCaptured
from schemas.message import Event
from schemas.payments import PaymentDispatched
from schemas.rail_reports import PaymentFailed, PaymentReturned, PaymentSettled
from schemas.repairs import PaymentCharged

Found = Callable[[str], None]
"""Told what is wrong with an event, in a sentence."""


def _captured(book: Book, event: HoldCaptured, found: Found) -> None:
    _legs(event, [(event.account, -event.amount), (event.credit, event.amount), *fee_legs(event.fees)], found)
    hold = book.holds.get(event.hold)
    if hold is None:
        found(f"it captures the hold {event.hold}, which is not open")
    elif event.amount > hold.left or event.captured_after != hold.captured + event.amount:
        found(f"it captures {event.amount} of {event.hold}, of which {hold.left} was left")
    elif event.left not in (0, hold.left - event.amount):
        found(f"it leaves {event.left} of {event.hold}, which had {hold.left} left")


def _dispatched(book: Book, event: PaymentDispatched, found: Found) -> None:
    legs = [(event.account, -event.amount), (event.in_transit, event.amount), *fee_legs(event.fees)]
    _legs(event, legs, found)
    payment = _of(book, event.payment, found)
    if payment is not None and payment.status != "waiting":
        found(f"it sends {event.payment}, which is {payment.status}")
    if payment is not None and (payment.account, payment.amount, payment.fees) != (
        event.account,
        event.amount,
        event.fees,
    ):
        found(f"it sends another payment than {event.payment} was submitted as")


def _settled(book: Book, event: PaymentSettled, found: Found) -> None:
    payment = _of(book, event.payment, found)
    if payment is None:
        return
    bears = payment.suspense if event.late else payment.in_transit
    _legs(event, [(bears, -payment.amount), (payment.nostro, payment.amount)], found)
    if payment.settled:
        found(f"it settles {event.payment}, which was settled before")


def _failed(book: Book, event: PaymentFailed, found: Found) -> None:
    payment = _of(book, event.payment, found)
    if payment is None:
        return
    back = [
        (event.credited if account == payment.account else account, -amount)
        for account, amount in fee_legs(payment.fees)
    ]
    _legs(event, [(payment.in_transit, -payment.amount), (event.credited, payment.amount), *back], found)
    _to_the_payer_or_suspense(event.credited, payment, event.payment, found)
    if payment.status not in {"dispatched", "accepted"}:
        found(f"it fails {event.payment}, which is {payment.status}")
    if (event.fees, event.charged) != (payment.fees, payment.charged_seq):
        found(f"it gives back other fees than those of {event.payment}")


def _returned(book: Book, event: PaymentReturned, found: Found) -> None:
    payment = _of(book, event.payment, found)
    if payment is None:
        return
    source = payment.nostro if payment.settled else payment.in_transit
    _legs(event, [(source, -event.amount), (event.credited, event.amount)], found)
    _to_the_payer_or_suspense(event.credited, payment, event.payment, found)
    if not 0 < event.amount <= payment.left or event.returned_after != payment.returned + event.amount:
        found(f"{event.amount} of {event.payment} comes back, of which {payment.left} was out")


def _charged(book: Book, event: PaymentCharged, found: Found) -> None:
    payment = _of(book, event.payment, found)
    if payment is None:
        return
    _legs(event, [(payment.account, -payment.left), (payment.suspense, payment.left)], found)
    if payment.status != "disputed":
        found(f"it charges for {event.payment}, which is {payment.status}")


def _of(book: Book, payment_id: str, found: Found) -> Payment | None:
    payment = book.payments.by_id.get(payment_id)
    if payment is None:
        found(f"there is no payment {payment_id}")
    return payment


def _legs(event: Any, legs: Iterable[tuple[str, int]], found: Found) -> None:
    if [(one.account, one.amount) for one in event.postings] != list(legs):
        found("its postings are not what it says")


def _to_the_payer_or_suspense(credited: str, payment: Payment, payment_id: str, found: Found) -> None:
    if credited not in (payment.owed_to, payment.suspense):
        found(f"{credited} is given what {payment_id} owes to {payment.owed_to}")


MONEY: dict[type[Event], Callable[[Book, Any, Found], None]] = {
    HoldCaptured: _captured,
    PaymentDispatched: _dispatched,
    PaymentSettled: _settled,
    PaymentFailed: _failed,
    PaymentReturned: _returned,
    PaymentCharged: _charged,
}

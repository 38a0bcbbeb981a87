"""What is decided about stop switches."""

from __future__ import annotations

from book.payment import waiting_key
from book.state import Book
from commands.decision import Decide, Decision
from schemas.rejections import reject
from schemas.stops import PaymentsResumed, PaymentsStopped, ResumePayments, StopPayments


def stop_payments(book: Book, command: StopPayments, at_ms: int) -> Decision:
    """Rejected, in this order: stop_exists, stop_unclear, rail_not_found."""
    if command.stop in book.payments.stops:
        return reject("stop_exists", stop=command.stop)
    if (command.scope == "book") == bool(command.value):
        return reject("stop_unclear", scope=command.scope, value=command.value)
    if command.scope == "rail" and command.value not in book.in_force.rails:
        return reject("rail_not_found", rail=command.value)
    return PaymentsStopped(stop=command.stop, scope=command.scope, value=command.value, reason=command.reason)


def resume_payments(book: Book, command: ResumePayments, at_ms: int) -> Decision:
    """Rejected: stop_not_found."""
    if command.stop not in book.payments.stops:
        return reject("stop_not_found", stop=command.stop)
    waiting = book.payments.waiting.get(waiting_key("stopped", command.stop), ())
    return PaymentsResumed(stop=command.stop, reason=command.reason, waiting=len(waiting))


DECIDE: dict[type, Decide] = {StopPayments: stop_payments, ResumePayments: resume_payments}

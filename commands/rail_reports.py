"""What a rail's answer means in each state of a payment. Answers may come twice, late and in any order.

    status        accepted   settled      failed        returned        recall_accepted   unknown
    waiting*      conflict   conflict     conflict      conflict        conflict          conflict
    dispatched    accepted   settled      failed        settled, ret.   returned          repair
    accepted      already    settled      failed        settled, ret.   returned          repair
    settled       already    already      repair        returned        returned          already
    failed        already    late, rep.   already       late, returned  conflict          already
    recalled **   already    late, rep.   already       late, returned  conflict          already
    disputed      already    already      conflict      returned        conflict          already
    returned      already    already      conflict      exceeds         conflict          already

`*` and cancelled. `**` before it was settled; afterwards as returned. late: the nostro account has paid what
was given back before, so suspense bears it, and people decide (`commands/repairs.py`). A recall is accepted
or refused only where one is awaited.
"""

from __future__ import annotations

from collections.abc import Callable

from book.payment import IN_TRANSIT, Payment
from book.state import Book
from commands.decision import Decide, Decision
from commands.outcomes import Outcomes
from commands.payments import conflict
from schemas.message import Event
from schemas.rail_reports import PaymentAccepted, RecallRefused, RepairNeeded, ReportPayment, ReportStatus
from schemas.rejections import Rejection, reject

Told = Event | tuple[Event, ...] | Rejection


def report_payment(book: Book, command: ReportPayment, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, reporter_not_adapter, payment_state_conflict,
    already_reported, return_exceeds_payment, account_not_open, account_blocked, overflow (the bank's own
    accounts).
    """
    payment = book.payments.by_id.get(command.payment)
    if payment is None:
        return reject("payment_not_found", payment=command.payment)
    if book.in_force.rails[payment.rail].adapter != command.actor:
        return reject("reporter_not_adapter", actor=command.actor, rail=payment.rail)
    if payment.status in {"waiting", "cancelled", "declined"}:
        return conflict(command.payment, payment, command.status)
    outcomes = Outcomes(book, command.payment, payment, command.reason, command.rail_reference, at_ms)
    return ANSWERS[command.status](book, command, payment, outcomes, at_ms)


def _accepted(book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int) -> Told:
    if payment.status != "dispatched":
        return _already(command)
    return PaymentAccepted(
        payment=command.payment,
        rail_reference=command.rail_reference,
        answer_by_ms=at_ms + book.in_force.rails[payment.rail].answer_within_ms,
    )


def _settled(book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int) -> Told:
    if payment.settled:
        return _already(command)
    if payment.status in IN_TRANSIT and command.amount not in (None, payment.amount):
        return _mismatch(command, payment)
    if refused := outcomes.unusable():
        return refused
    settled = outcomes.settled()
    if not settled.late:
        return settled
    return settled, outcomes.repair("settled_after_failed")


def _failed(book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int) -> Told:
    if payment.status in IN_TRANSIT:
        return outcomes.unusable() or outcomes.failed()
    if not payment.settled:
        return _already(command)
    if payment.status != "settled" or payment.returned:
        return conflict(command.payment, payment, command.status)
    if payment.repair is not None and payment.repair.reason == "failed_after_settled":
        return _already(command)
    return outcomes.repair("failed_after_settled")


def _returned(book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int) -> Told:
    if command.rail_reference in payment.returns:
        return _already(command)
    left = payment.left if payment.settled or payment.status in IN_TRANSIT else payment.amount
    amount = left if command.amount is None else command.amount
    if not 0 < amount <= left:
        return reject("return_exceeds_payment", left=left, wanted=amount)
    if refused := outcomes.unusable():
        return refused
    if payment.settled:
        return outcomes.returned(amount)
    # What comes back has left before, though nobody said so.
    settled = outcomes.settled()
    events = (settled, *outcomes.returned(amount))
    return (*events, outcomes.repair("settled_after_failed")) if settled.late and amount < left else events


def _recall_accepted(
    book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int
) -> Told:
    if payment.recall != "requested" or payment.status not in (*IN_TRANSIT, "settled"):
        return conflict(command.payment, payment, command.status)
    if command.rail_reference in payment.returns:
        return _already(command)
    amount = payment.left if command.amount is None else command.amount
    if amount > payment.left:
        return reject("return_exceeds_payment", left=payment.left, wanted=amount)
    if amount < payment.left and not payment.settled:
        return _mismatch(command, payment)
    return outcomes.unusable() or outcomes.returned(amount, recalled=True)


def _recall_refused(
    book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int
) -> Told:
    if payment.recall == "refused":
        return _already(command)
    if payment.recall != "requested":
        return conflict(command.payment, payment, command.status)
    return RecallRefused(
        payment=command.payment, reason=command.reason, rail_reference=command.rail_reference
    )


def _unknown(book: Book, command: ReportPayment, payment: Payment, outcomes: Outcomes, at_ms: int) -> Told:
    if payment.status not in IN_TRANSIT or payment.repair is not None:
        return _already(command)
    return outcomes.repair("outcome_unknown")


ANSWERS: dict[ReportStatus, Callable[[Book, ReportPayment, Payment, Outcomes, int], Told]] = {
    "accepted": _accepted,
    "settled": _settled,
    "failed": _failed,
    "returned": _returned,
    "recall_accepted": _recall_accepted,
    "recall_refused": _recall_refused,
    "unknown": _unknown,
}


def no_answer(book: Book, rest: str, due_ms: int) -> RepairNeeded:
    """The timer of a payment that was sent: its rail is silent."""
    return RepairNeeded(payment=rest, reason="no_answer", detail="the rail has not answered in time")


def _already(command: ReportPayment) -> Rejection:
    return reject("already_reported", payment=command.payment, status=command.status)


def _mismatch(command: ReportPayment, payment: Payment) -> Told:
    if payment.repair is not None and payment.repair.reason == "amount_mismatch":
        return _already(command)
    return RepairNeeded(
        payment=command.payment,
        reason="amount_mismatch",
        detail=f"{command.status} with {command.amount} of {payment.amount}",
    )


DECIDE: dict[type, Decide] = {ReportPayment: report_payment}

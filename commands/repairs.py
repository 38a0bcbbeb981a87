"""What is decided about payments in repair. What moves money, or gives it up, takes two different persons:
that is built in here, so that no policy, role or document is a way around it.
"""

from __future__ import annotations

from book.payment import IN_TRANSIT, Payment, Repair
from book.state import Book
from commands.decision import Decide, Decision
from commands.outcomes import Outcomes
from commands.permission import permits
from commands.posting import Chain, unfunded, unusable
from schemas.message import Event
from schemas.rejections import Rejection, reject
from schemas.repairs import (
    PaymentCharged,
    PaymentQueried,
    PaymentResent,
    RepairAction,
    RepairClosed,
    RepairPayment,
    RepairProposed,
)


def repair_payment(book: Book, command: RepairPayment, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, payment_not_in_repair, repair_not_possible,
    resends_exhausted, second_person_needed, account_not_open, account_blocked, overflow,
    insufficient_funds.
    """
    payment = book.payments.by_id.get(command.payment)
    if payment is None:
        return reject("payment_not_found", payment=command.payment)
    repair = payment.repair
    if repair is None:
        return reject("payment_not_in_repair", payment=command.payment)
    if command.action not in possible(payment, repair):
        return reject("repair_not_possible", action=command.action, status=payment.status, why=repair.reason)
    if command.action == "ask":
        return _queried(book, command, payment, at_ms)
    if command.action == "resend":
        return _resent(book, command, payment, at_ms)
    person = book.actors[command.actor].person
    proposal = repair.proposal
    if (
        proposal is None
        or proposal.action != command.action
        or not permits(book, proposal.actor, RepairPayment)
    ):
        return RepairProposed(
            payment=command.payment,
            action=command.action,
            proposer=command.actor,
            person=person,
            reason=command.reason,
        )
    if proposal.person == person:
        return reject("second_person_needed", payment=command.payment, person=person)
    done = _done(book, command, payment, repair, at_ms)
    if isinstance(done, Rejection):
        return done
    return *done, RepairClosed(
        payment=command.payment,
        action=command.action,
        persons=(proposal.person, person),
        reason=command.reason,
    )


def possible(payment: Payment, repair: Repair) -> tuple[RepairAction, ...]:
    """What can be done about a payment in repair."""
    if payment.status in IN_TRANSIT:
        return ("ask", "resend", "settle", "fail")
    if repair.reason == "failed_after_settled":
        return ("settle", "fail", "close")
    if payment.status == "disputed":
        return ("charge", "close")
    return ("close",)


def _done(
    book: Book, command: RepairPayment, payment: Payment, repair: Repair, at_ms: int
) -> tuple[Event, ...] | Rejection:
    outcomes = Outcomes(book, command.payment, payment, command.reason, "", at_ms)
    if command.action == "charge":
        return _charged(book, command, payment, at_ms)
    if command.action == "close" or (command.action == "settle" and payment.settled):
        return ()
    if refused := outcomes.unusable():
        return refused
    if command.action == "settle":
        return (outcomes.settled(),)
    return outcomes.returned(payment.left) if payment.settled else outcomes.failed()


def _charged(
    book: Book, command: RepairPayment, payment: Payment, at_ms: int
) -> tuple[Event, ...] | Rejection:
    """The payer pays what suspense bears, if the payer can."""
    legs = [(payment.account, -payment.left), (payment.suspense, payment.left)]
    if refused := unusable(book, legs, at_ms) or unfunded(book, {payment.account: payment.left}):
        return refused
    return (
        PaymentCharged(
            payment=command.payment,
            account=payment.account,
            amount=payment.left,
            currency=payment.currency,
            reason=command.reason,
            booking_date=book.business_date,
            value_date=book.business_date,
            postings=Chain(book).post(legs),
        ),
    )


def _queried(book: Book, command: RepairPayment, payment: Payment, at_ms: int) -> PaymentQueried:
    return PaymentQueried(
        payment=command.payment,
        rail=payment.rail,
        end_to_end=payment.end_to_end,
        asked=payment.asked + 1,
        reason=command.reason,
        answer_by_ms=at_ms + book.in_force.rails[payment.rail].answer_within_ms,
    )


def _resent(book: Book, command: RepairPayment, payment: Payment, at_ms: int) -> PaymentResent | Rejection:
    rail = book.in_force.rails[payment.rail]
    if payment.attempt > rail.resends:
        return reject("resends_exhausted", payment=command.payment, resends=rail.resends)
    assert payment.payee is not None, "what is in transit can be sent again"
    return PaymentResent(
        payment=command.payment,
        rail=payment.rail,
        account=payment.account,
        amount=payment.amount,
        currency=payment.currency,
        payee=payment.payee,
        purpose=payment.purpose,
        reference=payment.reference,
        end_to_end=payment.end_to_end,
        attempt=payment.attempt + 1,
        reason=command.reason,
        answer_by_ms=at_ms + rail.answer_within_ms,
    )


DECIDE: dict[type, Decide] = {RepairPayment: repair_payment}

"""What is decided about payments that wait for review: released, declined, left to others, over in time.

A payment that is released meets what else stands in its way as if it had just come, and is not scored again.
Time never releases one. Figures here are public: none of them says that a payment is looked at.
"""

from __future__ import annotations

from book.payment import Payment
from book.payments import review_timer
from book.review import Review
from book.state import Book
from commands.decision import Decide, Decision, Steps
from commands.payments import conflict, next_step
from commands.posting import payers, reserved
from commands.reserves import given_back
from schemas.rejections import Rejection, reject
from schemas.reviews import (
    DeclinePayment,
    EscalateReview,
    PaymentDeclined,
    ReleasePayment,
    ReviewEscalated,
    ReviewLabel,
    ReviewReleased,
)

MOST_LEVELS = 3
"""A review that went to others so often goes no further by itself: it waits until a person decides."""


def release_payment(book: Book, command: ReleasePayment, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, payment_state_conflict (it waits for no review),
    maker_cannot_check (who asked for it, whoever else acts for the payer), second_person_needed (who left it
    to others).
    """
    found = _in_review(book, command.payment, "released")
    if isinstance(found, Rejection):
        return found
    payment, review = found
    person = book.actors[command.actor].person
    if person in _makers(book, payment, review):
        return reject("maker_cannot_check", person=person)
    if person in review.left_by:
        return reject("second_person_needed", person=person)
    return _released(book, command, person, review, at_ms)


def _released(book: Book, command: ReleasePayment, person: str, review: Review, at_ms: int) -> Steps:
    yield ReviewReleased(
        payment=command.payment,
        person=person,
        reason=command.reason,
        label=command.label,
        level=review.level,
    )
    yield next_step(book, command.payment, at_ms)


def decline_payment(book: Book, command: DeclinePayment, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, payment_state_conflict (it waits for no review)."""
    found = _in_review(book, command.payment, "declined")
    if isinstance(found, Rejection):
        return found
    payment, review = found
    person = book.actors[command.actor].person
    return _declined(book, command.payment, payment, review, person, command.reason, command.label)


def escalate_review(book: Book, command: EscalateReview, at_ms: int) -> Decision:
    """Rejected, in this order: payment_not_found, payment_state_conflict (it waits for no review),
    nothing_to_change (the same person did before).
    """
    found = _in_review(book, command.payment, "passed on")
    if isinstance(found, Rejection):
        return found
    _, review = found
    person = book.actors[command.actor].person
    if person in review.left_by:
        return reject("nothing_to_change")
    return ReviewEscalated(
        payment=command.payment,
        level=review.level + 1,
        person=person,
        reason=command.reason,
        answer_by_ms=book.timers.due.get(review_timer(command.payment)),
    )


def review_timeout(book: Book, rest: str, due_ms: int) -> PaymentDeclined | ReviewEscalated:
    """The timer of a review in which nobody decided."""
    review = book.payments.reviews[rest]
    if review.then == "decline":
        return _declined(book, rest, book.payments.by_id[rest], review, "", "nobody decided in time", "")
    level = review.level + 1
    return ReviewEscalated(
        payment=rest,
        level=level,
        person="",
        reason="nobody decided in time",
        answer_by_ms=due_ms + review.within_ms if level < MOST_LEVELS else None,
    )


def _in_review(book: Book, payment_id: str, wanted: str) -> tuple[Payment, Review] | Rejection:
    payment = book.payments.by_id.get(payment_id)
    if payment is None:
        return reject("payment_not_found", payment=payment_id)
    review = book.payments.reviews.get(payment_id)
    return conflict(payment_id, payment, wanted) if review is None else (payment, review)


def _makers(book: Book, payment: Payment, review: Review) -> frozenset[str]:
    """The persons who asked for the payment, or who act for the party that pays; a party may go by the
    person's own id.
    """
    party = book.accounts[payment.account].party
    found = {one.person for one in book.actors.values() if party and one.party == party}
    return frozenset({review.person, party, *found} - {""})


def _declined(
    book: Book,
    payment_id: str,
    payment: Payment,
    review: Review,
    person: str,
    reason: str,
    label: ReviewLabel,
) -> PaymentDeclined:
    return PaymentDeclined(
        payment=payment_id,
        reserves=reserved(book, payers(payment.account, payment.amount, payment.fees), -1),
        uses=given_back(book, payment.uses),
        person=person,
        label=label,
        level=review.level,
        restricted=reason,
    )


def interested_in_release(book: Book, payment_id: str) -> frozenset[str]:
    """The persons who may not say yes to a release that waits for approval either."""
    review = book.payments.reviews.get(payment_id)
    if review is None:
        return frozenset()
    return _makers(book, book.payments.by_id[payment_id], review) | set(review.left_by)


DECIDE: dict[type, Decide] = {
    ReleasePayment: release_payment,
    DeclinePayment: decline_payment,
    EscalateReview: escalate_review,
}

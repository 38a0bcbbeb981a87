"""How a payment comes to wait for review: where rules want a person to look at it before it is sent."""

from __future__ import annotations

from collections.abc import Sequence

from book.state import Account, Book
from schemas.payments import PaymentWaiting, SubmitPayment
from schemas.reviews import ReviewBegan
from schemas.risk import Assessment


def to_review(
    book: Book, command: SubmitPayment, account: Account, found: Sequence[Assessment], at_ms: int
) -> tuple[PaymentWaiting, ReviewBegan]:
    """The events with which a payment comes to wait. found: what the rules made of it.

    Of several documents that want a review the one with the least time counts; of those, one that declines.
    """
    rules = book.in_force.ruling.rules
    asked = [rules[one.rules].body.reviews for one in found if (one.stage, one.verdict) == ("live", "review")]
    least = min(asked, key=lambda one: (one.within_ms, one.then != "decline"))
    maker = book.actors.get(command.actor)
    return (
        PaymentWaiting(payment=command.payment, reason="risk_review", by=command.payment, due_ms=None),
        ReviewBegan(
            payment=command.payment,
            account=command.account,
            party=account.party,
            amount=command.amount,
            currency=command.currency,
            maker=command.actor,
            person="" if maker is None else maker.person,
            within_ms=least.within_ms,
            then=least.then,
            answer_by_ms=at_ms + least.within_ms,
        ),
    )

"""Rules in the ordered path: what is declined, what waits, what is only noted."""

from __future__ import annotations

import msgspec

from schemas.payments import PaymentDispatched, PaymentSubmitted, PaymentWaiting
from schemas.rejections import CommandRejected
from schemas.reviews import ReviewBegan
from schemas.risk import Declined, RiskAssessed
from schemas.transfers import TransferPosted
from tests.payment_words import pay, rails
from tests.risk_words import over, rule, rules
from tests.story import account, balance, given, happened, rejected, story, the_account, then, transfer, when

NIGHT = {"feature": "local_minute", "below": 360}
MORNING = {"feature": "local_minute", "at_least": 360}


def test_two_features_decline_a_payment_and_nobody_is_told_why() -> None:
    given(account("alice", 100_000), rails())
    when(rules(rule("large-by-day", {"all": [over(50_000), MORNING]}, 100)))
    when(pay("p1", 50_000))
    (refused,) = then(rejected("declined"))
    assert isinstance(refused, CommandRejected)
    assert refused.figures == {}
    told = msgspec.json.decode(refused.restricted, type=Declined)
    assert (told.movement, told.account, told.party, told.amount) == ("p1", "alice", "p-alice", 50_000)
    (one,) = told.assessments
    assert (one.rules, one.version, one.stage, one.score, one.verdict) == (
        "payments",
        1,
        "live",
        100,
        "decline",
    )
    assert [(hit.rule, hit.points, hit.stop, hit.counted) for hit in one.hits] == [
        ("payments/large-by-day", 100, False, True)
    ]
    assert (balance("alice"), the_account("alice").held) == (100_000, 0)
    when(pay("p1", 49_999))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))


def test_a_payment_to_be_reviewed_waits_with_its_money_reserved() -> None:
    given(account("alice", 100_000), rails())
    when(rules(rule("large", over(10_000), 60)))
    when(pay("p1", 10_000))
    submitted, *_ = then(
        happened(PaymentSubmitted, payment="p1"),
        happened(PaymentWaiting, payment="p1", reason="risk_review", by="p1", due_ms=None),
        happened(ReviewBegan, payment="p1"),
        happened(RiskAssessed, movement="p1", verdict="review", party="p-alice"),
    )
    assert story().last[-1].of == submitted.seq  # type: ignore[attr-defined]
    assert (balance("alice"), the_account("alice").held) == (100_000, 10_000)


def test_a_transfer_cannot_wait_so_it_goes_through_and_is_noted() -> None:
    given(account("alice", 100_000), account("bob"))
    when(rules(rule("large", over(10_000), 60)))
    when(transfer("alice", "bob", 10_000))
    posted, noted = then(
        happened(TransferPosted), happened(RiskAssessed, movement="", verdict="review", account="alice")
    )
    assert noted.of == posted.seq  # type: ignore[attr-defined]
    when(transfer("alice", "bob", 9_999))
    then(happened(TransferPosted))

"""The repair queue: ask, resend, and what only two different persons can do."""

from __future__ import annotations

import pytest

from schemas.access import RegisterUser, SuspendActor
from schemas.approvals import ApprovalGiven
from schemas.fields import INT64_MAX
from schemas.rail_reports import PaymentFailed, PaymentReturned, PaymentSettled, RepairNeeded
from schemas.rejections import Reason
from schemas.repairs import (
    PaymentCharged,
    PaymentQueried,
    PaymentResent,
    RepairAction,
    RepairClosed,
    RepairPayment,
    RepairProposed,
)
from tests.approvals_words import approve, line, policy, staff
from tests.payment_words import HOUR_MS, PAYEE, pay, rail_of, rails, repair, repairers, report, the_payment
from tests.story import (
    Said,
    Word,
    account,
    balance,
    block,
    closed,
    given,
    grant,
    happened,
    internal,
    later,
    rejected,
    say,
    story,
    then,
    transfer,
    when,
)

TICK = transfer("nostro", "ticker", 1)


def unknown(balance: int = 100) -> Word:
    """A payment of 60 whose outcome is unknown."""
    return [
        account("alice", balance),
        account("bob"),
        account("ticker"),
        rails(),
        repairers(),
        pay("p1", 60),
        report("p1", "unknown"),
    ]


def money() -> tuple[int, int, int]:
    return balance("alice"), balance("sepa-transit"), balance("sepa-suspense")


def by_two(action: RepairAction, payment: str = "p1") -> list[Said]:
    return [repair(payment, action, "rita"), repair(payment, action, "rolf")]


def test_the_rail_is_asked_and_silence_is_noticed_again() -> None:
    given(unknown())
    when(repair("p1", "ask"))
    then(happened(PaymentQueried, payment="p1", asked=1, answer_by_ms=story().now + HOUR_MS))
    assert the_payment("p1").repair is not None
    when(later(ms=HOUR_MS), TICK)
    assert [one.reason for one in story().events() if isinstance(one, RepairNeeded)] == [
        "outcome_unknown",
        "no_answer",
    ]
    when(repair("p1", "ask"))
    then(happened(PaymentQueried, asked=2))
    when(report("p1", "settled"))
    then(happened(PaymentSettled))
    assert the_payment("p1").repair is None


def test_a_payment_is_sent_again_with_the_same_id_a_few_times() -> None:
    given(unknown())
    for attempt in (2, 3):
        when(repair("p1", "resend"))
        then(happened(PaymentResent, payment="p1", attempt=attempt, payee=PAYEE, end_to_end="p1"))
    when(repair("p1", "resend"))
    then(rejected("resends_exhausted", resends=2))
    assert money() == (40, 60, 0)


def test_two_persons_settle() -> None:
    given(unknown())
    when(repair("p1", "settle", "rita"))
    then(happened(RepairProposed, action="settle", person="person-rita"))
    assert money() == (40, 60, 0)
    when(repair("p1", "settle", "rolf"))
    then(
        happened(PaymentSettled, reason="called the bank", late=False),
        happened(RepairClosed, action="settle", persons=("person-rita", "person-rolf")),
    )
    assert (the_payment("p1").status, money()) == ("settled", (40, 0, 0))


def test_two_persons_fail() -> None:
    given(unknown())
    when(*by_two("fail"))
    then(happened(PaymentFailed), happened(RepairClosed))
    assert (the_payment("p1").status, the_payment("p1").repair, money()) == ("failed", None, (100, 0, 0))


def test_two_persons_settle_what_a_third_has_to_approve_too() -> None:
    """Who proposed it is who asked for it, and not who approved that."""
    given(unknown(), staff(), policy(line("RepairPayment")))
    when(repair("p1", "settle", "rita"))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(RepairProposed, proposer="rita", person="person-rita"))
    when(repair("p1", "settle", "rolf"))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(PaymentSettled), happened(RepairClosed))


def test_one_person_is_not_two_whoever_they_act_as() -> None:
    given(unknown(), say(RegisterUser, user="rita-2", person="person-rita"), grant("rita-2", "repairs"))
    when(*by_two("settle")[:1], repair("p1", "settle", "rita"))
    then(rejected("second_person_needed", person="person-rita"))
    when(repair("p1", "settle", "rita-2"))
    then(rejected("second_person_needed", person="person-rita"))


def test_the_administrator_is_one_person_too() -> None:
    given(unknown())
    when(repair("p1", "settle", "root"), repair("p1", "settle", "root"))
    then(rejected("second_person_needed"))


def test_another_proposal_takes_the_place_of_the_first() -> None:
    given(unknown())
    when(repair("p1", "settle", "rita"), repair("p1", "fail", "rolf"))
    then(happened(RepairProposed, action="fail", person="person-rolf"))
    when(repair("p1", "settle", "rolf"))
    then(happened(RepairProposed, action="settle", person="person-rolf"))
    when(repair("p1", "settle", "rita"))
    then(happened(PaymentSettled), happened(RepairClosed))


def test_a_proposal_lapses_with_what_the_rail_says_and_with_the_proposers_right() -> None:
    given(unknown())
    when(repair("p1", "settle", "rita"), say(SuspendActor, subject="rita", reason="left"))
    when(repair("p1", "settle", "rolf"))
    then(happened(RepairProposed, person="person-rolf"))
    when(report("p1", "accepted"), report("p1", "unknown"), repair("p1", "settle", "root"))
    then(happened(RepairProposed, person="ruth"))


def test_where_it_failed_after_it_settled_two_persons_bring_it_back_or_leave_it() -> None:
    for action, alice in (("settle", 40), ("close", 40), ("fail", 100)):
        given(unknown(), report("p1", "settled"), report("p1", "failed"))
        when(*by_two(action))  # type: ignore[arg-type]
        assert isinstance(story().last[-1], RepairClosed)
        assert (balance("alice"), balance("sepa-transit"), the_payment("p1").repair) == (alice, 0, None)
        story().check()
    assert isinstance(story().last[0], PaymentReturned)


def disputed(balance: int = 100) -> Word:
    return [unknown(balance), report("p1", "failed"), report("p1", "settled")]


def test_what_suspense_bears_the_payer_is_charged_for_by_two_persons() -> None:
    given(disputed(), report("p1", "returned", 10, "r1"))
    assert money() == (100, 0, -50)
    when(*by_two("charge"))
    then(happened(PaymentCharged, amount=50), happened(RepairClosed))
    assert (the_payment("p1").status, money()) == ("settled", (50, 0, 0))
    when(report("p1", "returned", ref="r2"))
    then(happened(PaymentReturned, amount=50, credited="alice", returned_after=60))
    assert (the_payment("p1").status, money()) == ("returned", (100, 0, 0))


def test_the_payer_is_charged_no_more_than_there_is() -> None:
    given(disputed(), transfer("alice", "bob", 41))
    when(*by_two("charge"))
    then(rejected("insufficient_funds", available=59, needed=60))
    assert the_payment("p1").repair is not None
    when(transfer("bob", "alice", 1), repair("p1", "charge", "rolf"))
    then(happened(PaymentCharged), happened(RepairClosed))


def test_what_is_dealt_with_by_other_postings_is_closed_by_two_persons() -> None:
    given(disputed())
    when(*by_two("close"))
    then(happened(RepairClosed, action="close"))
    assert (the_payment("p1").status, the_payment("p1").repair) == ("disputed", None)


def test_what_could_not_be_credited_is_closed_by_two_persons() -> None:
    given(unknown(60), closed("alice"), report("p1", "failed"))
    assert money() == (0, 0, 60)
    when(transfer("sepa-suspense", "bob", 60), *by_two("close"))
    then(happened(RepairClosed))


REJECTIONS: list[tuple[Reason, Said]] = [
    ("payment_not_found", repair("none", "charge")),
    ("payment_not_in_repair", repair("sent", "charge")),
    ("repair_not_possible", repair("p1", "charge")),
    ("resends_exhausted", repair("p1", "resend")),
    ("second_person_needed", repair("p1", "settle")),
    ("account_not_open", repair("of-closed", "charge")),
    ("account_blocked", repair("of-blocked", "charge")),
    ("overflow", repair("of-full", "settle")),
    ("insufficient_funds", repair("of-poor", "charge")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(unknown(1_000), repair("p1", "resend"), repair("p1", "resend"), pay("sent", 1))
    for name, account_id in (("of-closed", "gone"), ("of-blocked", "barred"), ("of-poor", "poor")):
        when(account(account_id, 60), pay(name, 60, account_id))
        when(report(name, "failed"), report(name, "settled"), transfer(account_id, "bob", 60))
        when(repair(name, "charge", "rolf"))
    when(rail_of("full"), pay("of-full", 1, rail="full"), report("of-full", "unknown"))
    when(
        internal("lowest"), transfer("lowest", "full-nostro", INT64_MAX), repair("of-full", "settle", "rolf")
    )
    when(closed("gone"), block("barred", "b", "debits"), repair("p1", "settle"))
    when(said)
    then(rejected(reason))


@pytest.mark.parametrize("action", ["settle", "fail"])
def test_nothing_is_posted_where_the_banks_own_accounts_take_nothing(action: RepairAction) -> None:
    given(unknown(), block("nostro", "audit"))
    when(*by_two(action))
    then(rejected("account_blocked", account="nostro"))
    assert money() == (40, 60, 0)


def test_a_role_alone_is_enough_to_propose_but_not_to_do() -> None:
    given(unknown())
    when(say(RepairPayment, payment="p1", action="fail", reason="x").by("rolf"))
    then(happened(RepairProposed, person="person-rolf"))

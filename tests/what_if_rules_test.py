"""What-if of rules: verdicts, hits, precision and recall by what cases found, money, reviews; its proof."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from console.output import Output
from console.what_if_risk import show_risk
from engine.log.records import BEFORE_FIRST
from replay.drafts import Drafted
from replay.risk_effects import AtStake, Caught, Reviews, Risk, RuleHits, Verdicts
from replay.what_if import what_if
from replay.what_if_result import WhatIf, proof_of
from schemas.approvals import ApprovalGiven, ApprovalRequested
from schemas.cases import CaseLabel
from schemas.catalogue import Undecodable, decode_command
from schemas.instructions import ToPayee
from schemas.orders import CreateStandingOrder
from schemas.payments import PaymentDispatched, PaymentSubmitted
from schemas.publishing import DocumentPublished, PublishDocument
from schemas.rejections import CommandRejected
from schemas.reviews import ReleasePayment
from schemas.risk import RiskAssessed
from tests.approvals_words import approve, line, policy, staff
from tests.case_words import act, alert, confirm, propose, take, workers
from tests.case_words import report as reported
from tests.crossbook_words import agreed, send
from tests.payment_words import PAYEE, pay, rails
from tests.risk_words import over, rule, rules
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    MAIN,
    TODAY,
    Word,
    account,
    advance,
    balance,
    given,
    happened,
    later,
    say,
    story,
    then,
    transfer,
    when,
)

PEOPLE = workers("ann", "ben")


def drafted(*some: dict[str, Any], **body: Any) -> Drafted:
    """The same document that `rules` publishes, not published."""
    return Drafted("rules", "payments", rules(*some, **body).fields["body"])


def asked(*drafts: Drafted, from_ms: int = BEGAN_MS, **more: Any) -> WhatIf:
    """What-if over the story's log, which it must leave as it is."""
    log = story().log
    before = [record.value for record in log.events(BEFORE_FIRST)]
    found = what_if(log.reader(), MAIN, drafts, from_ms, **more)
    assert [record.value for record in log.events(BEFORE_FIRST)] == before
    assert not found.refused
    return found


def risk(found: WhatIf) -> Risk:
    assert found.risk is not None
    return found.risk


def matrix(found: WhatIf) -> dict[tuple[str, str], int]:
    return {(one.was, one.would_be): one.movements for one in risk(found).verdicts}


def begins_now() -> int:
    story().now += 1_000
    return story().now


def labelled(payment: str, label: CaseLabel) -> Word:
    """A case about a payment, closed with what was found."""
    return [
        reported(f"case-{payment}", alert(payment, movement=payment, source="typology")),
        take().by("ann"),
        propose(f"case-{payment}", label).by("ann"),
        confirm(f"case-{payment}").by("ben"),
    ]


def test_what_is_declined_keeps_its_money_and_the_rest_goes_on_with_it() -> None:
    given(account("alice", 1_000), account("bob"))
    start = begins_now()
    when(transfer("alice", "bob", 600), transfer("alice", "bob", 300), transfer("bob", "alice", 500))
    assert (balance("alice"), balance("bob")) == (600, 400)
    found = asked(drafted(rule("large", over(600), stop=True)), from_ms=start)
    # 600 is declined, so bob never has the 500 that he sends back.
    assert matrix(found) == {("approve", "decline"): 1, ("approve", "approve"): 1, ("approve", "refused"): 1}
    assert found.changed == 2
    assert found.first[0].would_be == "refused: declined"
    assert risk(found).rules == [RuleHits("payments/large", 0, 1, 0, 0, None)]
    assert risk(found).at_stake == [AtStake("EUR", 0, 0, 0, 600)]
    assert risk(found).before == Caught(0, 0, 0, None, None)


def test_the_rules_in_force_change_nothing() -> None:
    given(account("alice", 100_000), account("bob"), rails(), agreed())
    same = (
        rule("a", over(5), 50),
        rule("b", over(50), stop=True),
        rule("n", {"feature": "out_count_24h", "at_least": 2}, 1),
    )
    when(rules(*same))
    start = begins_now()
    when(
        [transfer("alice", "bob", amount) for amount in (1, 6, 60)],
        [pay(f"p{amount}", amount) for amount in (2, 7, 70)],
        [send(f"s{amount}", "alice", amount) for amount in (3, 8, 80)],
    )
    found = asked(drafted(*same), from_ms=start)
    assert (found.commands, found.changed, found.not_comparable, found.would_wait) == (9, 0, 0, 0)
    assert not found.events
    assert matrix(found) == {("approve", "approve"): 3, ("review", "review"): 3, ("decline", "decline"): 3}
    assert all(one.before == one.after for one in risk(found).rules)
    assert risk(found).before == risk(found).after


def test_a_rule_in_shadow_or_with_points_below_any_threshold_changes_no_outcome() -> None:
    given(account("alice", 1_000), account("bob"))
    start = begins_now()
    when([transfer("alice", "bob", 10) for _ in range(5)])
    for draft in (
        drafted(rule("a", over(1), stop=True), stage="shadow"),
        drafted(rule("a", over(1), 1)),
    ):
        found = asked(draft, from_ms=start)
        assert (found.changed, matrix(found)) == (0, {("approve", "approve"): 5})
        assert not found.earned
        assert risk(found).rules == [RuleHits("payments/a", 0, 5, 0, 0, None)]


def test_what_would_have_been_reviewed_is_looked_at_and_what_is_known_to_be_bad_is_declined() -> None:
    given(account("alice", 10_000), rails(), PEOPLE)
    start = begins_now()
    when([pay(f"p{number}", 1_000 + number) for number in range(5)], pay("small", 5))
    when(labelled("p0", "confirmed_fraud"), labelled("p1", "suspicious"), labelled("p2", "legitimate"))
    when(labelled("p3", "inconclusive"), labelled("small", "confirmed_fraud"))
    draft = drafted(rule("large", over(1_000), 60), rule("odd", over(1_002), 1))
    found = asked(draft, from_ms=start, capacity=2)
    assert matrix(found) == {("approve", "review"): 5, ("approve", "approve"): 1}
    whole = risk(found)
    assert (whole.movements, whole.known_bad, whole.known_good) == (6, 3, 1)
    assert whole.before == Caught(0, 0, 0, None, 0)
    assert whole.after == Caught(5, 2, 1, 666, 666)
    assert whole.rules == [
        RuleHits("payments/large", 0, 5, 2, 1, 666),
        RuleHits("payments/odd", 0, 3, 0, 1, 0),
    ]
    assert whole.at_stake == [
        AtStake("EUR", saved=1_000 + 1_001, lost=0, delayed=1_002 + 1_003 + 1_004, refused=0)
    ]
    assert whole.reviews == Reviews(
        days=1, before=0, after=5, busiest=5, capacity=2, above=1, backlog=3, left=3
    )
    # The two bad ones were declined, so their money is still there; the others went as recorded.
    assert found.customers_difference == {"EUR": 2_001}
    assert found.would_wait == 5
    dispatched = [one for one in story().events() if isinstance(one, PaymentDispatched)]
    assert len(dispatched) == 6


def test_payments_of_a_standing_order_that_would_be_reviewed_are_looked_at_before_they_time_out() -> None:
    given(account("alice", 10_000), rails(), PEOPLE)
    start = begins_now()
    when(
        say(
            CreateStandingOrder,
            order="rent",
            account="alice",
            amount=2_000,
            currency="EUR",
            to=ToPayee(rail="sepa", payee=PAYEE),
            every="month",
            first=TODAY,
        ),
        advance(story().now + 40 * DAY_MS),
    )
    sent = [one for one in story().events() if isinstance(one, PaymentDispatched)]
    assert sent, "timers have paid"
    found = asked(drafted(rule("large", over(1_000), 60), reviews={"within_ms": 3_600_000}), from_ms=start)
    assert matrix(found) == {("approve", "review"): len(sent)}
    assert found.customers_difference == {}, "each was released at once, none declined by its timer"


def test_a_decision_of_a_case_about_what_does_not_wait_is_not_comparable() -> None:
    given(account("alice", 10_000), rails(), PEOPLE)
    when(rules(rule("large", over(1_000), 60)))
    start = begins_now()
    when(pay("p1", 2_000), reported("c1", alert(1, movement="p1")), take().by("ann"))
    when(propose("c1", "legitimate", act("release", "p1")).by("ann"), confirm("c1").by("ben"))
    assert any(isinstance(one, PaymentDispatched) for one in story().events())
    found = asked(drafted(rule("large", over(5_000), 60)), from_ms=start)
    assert matrix(found) == {("review", "approve"): 1}
    assert found.not_comparable == 2, "nothing is proposed, so nothing confirmed"


def test_what_was_reviewed_as_recorded_and_would_not_be_goes_at_once() -> None:
    given(account("alice", 10_000), rails(), PEOPLE)
    when(rules(rule("large", over(1_000), 60)))
    start = begins_now()
    when(pay("p1", 2_000), pay("p2", 3_000))
    when(say(ReleasePayment, payment="p1", reason="called", label="legitimate").by("ann"))
    when(labelled("p2", "confirmed_fraud"))
    found = asked(drafted(rule("large", over(5_000), 60)), from_ms=start)
    assert matrix(found) == {("review", "approve"): 2}
    assert (found.no_longer_wait, found.not_comparable) == (2, 1), "nobody has to release p1"
    assert risk(found).at_stake == [AtStake("EUR", saved=0, lost=3_000, delayed=0, refused=0)]
    assert (risk(found).before.recall, risk(found).after.recall) == (1_000, 0)
    assert found.customers_difference == {"EUR": -3_000}, "p2 would have gone"


def test_features_count_from_the_beginning_of_the_book_and_not_from_where_the_question_begins() -> None:
    """Each payment stands where the month before it makes it the fourth, or not."""
    given(account("alice", 10_000), account("bob"))
    when([transfer("alice", "bob", 1), later(days=9), advance(BEGAN_MS + 9 * DAY_MS)])
    when([transfer("alice", "bob", 2), later(days=9), advance(BEGAN_MS + 18 * DAY_MS)])
    when(transfer("alice", "bob", 3))
    start = begins_now()
    when(transfer("alice", "bob", 4), later(days=20), advance(BEGAN_MS + 39 * DAY_MS))
    when(transfer("alice", "bob", 5))
    fourth = {"feature": "out_count_30d", "at_least": 4}
    mean = {"feature": "amount_to_mean", "at_least": 1_999}
    found = asked(drafted(rule("fourth", fourth, 1), rule("mean", mean, 1)), from_ms=start)
    # 4 is the fourth in 30 days, and twice the mean of 1, 2, 3; 5 has 2, 3 and 4 in the 30 days before it,
    # and is twice the mean of 1, 2, 3, 4.
    assert [(one.rule, one.after) for one in risk(found).rules] == [
        ("payments/fourth", 2),
        ("payments/mean", 2),
    ]
    assert story().book.in_force.keeping is None


def test_reviews_of_each_day_are_held_against_the_capacity_that_the_draft_says() -> None:
    given(account("alice", 100_000), rails())
    start = begins_now()
    for day, many in enumerate((3, 0, 1, 4)):
        when([pay(f"p{day}-{number}", 1_000) for number in range(many)])
        when(advance(BEGAN_MS + (day + 1) * DAY_MS))
        story().now = BEGAN_MS + (day + 1) * DAY_MS
    found = asked(drafted(rule("large", over(1_000), 60), reviews={"a_day": 2}), from_ms=start)
    assert risk(found).reviews == Reviews(
        days=4, before=0, after=8, busiest=4, capacity=2, above=2, backlog=2, left=2
    )
    assert risk(asked(drafted(rule("large", over(1_000), 60)), from_ms=start)).reviews.capacity is None


def test_the_proof_is_the_same_for_the_same_question_and_binds_the_draft() -> None:
    given(account("alice", 1_000), account("bob"))
    start = begins_now()
    when(transfer("alice", "bob", 600))
    until = story().book.at
    one = asked(drafted(rule("large", over(600), stop=True)), from_ms=start, to_ms=until)
    when(transfer("alice", "bob", 100))
    again = asked(drafted(rule("large", over(600), stop=True)), from_ms=start, to_ms=until)
    other = asked(drafted(rule("large", over(599), stop=True)), from_ms=start, to_ms=until)
    assert proof_of(one) == proof_of(again) != proof_of(other)
    assert [matrix(found) for found in (one, other)] == [{("approve", "decline"): 1}] * 2
    when(rules(rule("large", over(600), stop=True)))
    (published,) = (event for event in story().last if isinstance(event, DocumentPublished))
    assert [tried.digest for tried in one.drafts] == [published.digest]
    assert len(proof_of(one)) == 64


def test_the_proof_is_kept_in_the_version_and_shown_to_whoever_approves_it() -> None:
    proof = "ab" * 32
    body = rules(rule("large", over(600), stop=True)).fields["body"]
    said = say(PublishDocument, kind="rules", document="payments", version=1, body=body, proof=proof)
    given(account("alice", 1_000))
    when(said)
    then(happened(DocumentPublished, proof=proof))
    given(account("alice", 1_000), staff(), policy(line("PublishDocument")))
    when(said)
    (waits,) = story().last
    assert isinstance(waits, ApprovalRequested)
    assert waits.terms.documents == {"rules/payments": "none", "what-if": proof}
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(DocumentPublished, proof=proof))


def test_a_proof_is_a_digest_or_nothing() -> None:
    fields = {"kind": "rules", "document": "a", "version": 1, "body": {}}
    envelope = {"type": "PublishDocument", "id": "a", "book": "b", "actor": "c", "issued_at_ms": 1}
    for proof in ("ab" * 31, "AB" * 32, "x" * 64, "ab" * 32 + "\n"):
        with pytest.raises(Undecodable):
            decode_command(orjson.dumps({**envelope, **fields, "proof": proof}))
    decode_command(orjson.dumps({**envelope, **fields, "proof": ""}))


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@hypothesis_given(
    st.lists(st.tuples(st.sampled_from(["t", "p"]), st.integers(1, 45)), min_size=3, max_size=15),
    st.integers(1, 20),
    st.integers(1, 20),
    st.booleans(),
)
def test_verdicts_are_those_that_the_drafts_give_when_they_are_really_in_force(
    acts: list[tuple[str, int]], stops: int, reviews: int, crowded: bool
) -> None:
    """One story has the rules from the beginning, the other is asked what they would have done."""
    some = [rule("stop", over(stops + 20), stop=True), rule("review", over(reviews), 60)]
    if crowded:
        some.append(rule("many", {"feature": "out_count_24h", "at_least": 4}, 60))

    begun: list[int] = []

    def told(*first: Word) -> list[str]:
        given(account("alice", 100_000), account("bob"), rails(), *first)
        begun.append(begins_now())
        found = []
        for number, (how, amount) in enumerate(acts):
            when(transfer("alice", "bob", amount) if how == "t" else pay(f"p{number}", amount, payee=PAYEE))
            last = story().last
            risks = [one.verdict for one in last if isinstance(one, RiskAssessed)]
            if isinstance(last[0], CommandRejected):
                found.append("decline" if last[0].reason == "declined" else "refused")
            else:
                assert isinstance(last[0], PaymentSubmitted) or how == "t"
                found.append(risks[0] if risks else "approve")
        return found

    really = told(rules(*some))
    assert set(told()) == {"approve"}
    found = asked(drafted(*some), from_ms=begun[-1])
    expected = [Verdicts("approve", one, really.count(one)) for one in ("approve", "review", "decline")]
    assert risk(found).verdicts == [one for one in expected if one.movements]


def test_what_people_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    given(account("alice", 10_000), rails(), PEOPLE)
    start = begins_now()
    when([pay(f"p{number}", 1_000 + number) for number in range(3)], labelled("p0", "suspicious"))
    draft = drafted(rule("large", over(1_001), 60), reviews={"a_day": 1})
    show_risk(Output(json=False), risk(asked(draft, from_ms=start)), lambda minor, _: f"{minor / 100:.2f}")
    told = capsys.readouterr().out
    for line_ in (
        "approve                              1                 2",
        "payments/large        0           2    0     0  none known",
        "cases have found 1 bad and 0 good",
        "Stopped as recorded: 0 (precision none known, recall 0.0%)",
        "EUR                           0.00  0.00    20.03     0.00",
        "The team can do 1 a day: more came on 1 days",
    ):
        assert line_ in told, told

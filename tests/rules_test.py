"""Rules in the ordered path: what is declined, what waits, what is only noted."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import msgspec

from schemas.approvals import ApprovalFailed, ApprovalGiven, ApprovalRequested
from schemas.bulk import BulkAccepted, InstructionRefused
from schemas.catalogue import encode
from schemas.crossbook import CrossBookSent
from schemas.flags import RaiseFlag
from schemas.instructions import ToAccount
from schemas.orders import CreateStandingOrder, StandingOrderSkipped
from schemas.outcomes import outcome_of
from schemas.payees import payee_key
from schemas.payments import PaymentDispatched, PaymentSubmitted, PaymentWaiting
from schemas.rejections import CommandRejected
from schemas.reviews import ReviewBegan
from schemas.risk import Declined, ModelScore, Origin, RiskAssessed
from schemas.transfers import TransferPosted
from tests.approvals_words import approve, line, policy, staff
from tests.bulk_test import bulk
from tests.crossbook_words import agreed, send
from tests.detection_words import noticed
from tests.payment_words import PAYEE, pay, rails
from tests.risk_words import listing, model, over, rule, rules
from tests.story import (
    DAY_MS,
    TODAY,
    Said,
    account,
    advance,
    balance,
    given,
    happened,
    later,
    party,
    rejected,
    say,
    story,
    the_account,
    then,
    transfer,
    when,
)

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


# --- points, caps, thresholds -----------------------------------------------------------------------------


def scored() -> tuple[int, str]:
    """The score and verdict of the only document that assessed the last movement."""
    (*_, noted) = story().last
    assert isinstance(noted, RiskAssessed)
    (one,) = noted.assessments
    return one.score, one.verdict


def moved(amount: int = 10, **fields: Any) -> Said:
    return transfer("alice", "bob", amount, **fields)


def test_points_add_up_and_a_group_gives_no_more_than_its_cap() -> None:
    """10 + min(20 + 30, 40) = 50, which is reviewed; without the cap it would be 60."""
    given(account("alice", 1_000), account("bob"))
    when(
        rules(
            rule("any", over(1), 10),
            rule("more", over(2), 20, group="size"),
            rule("most", over(3), 30, group="size"),
            rule("not-this", over(1_000), 30),
            caps=[{"group": "size", "most": 40}],
            thresholds={"review": 50, "decline": 60},
        ),
        moved(),
    )
    assert scored() == (50, "review")
    when(moved(2))
    assert scored() == (30, "approve")


def test_a_score_is_reached_not_passed() -> None:
    given(account("alice", 1_000), account("bob"))
    when(
        rules(rule("a", over(5), 30), rule("b", over(10), 30), thresholds={"review": 30, "decline": 60}),
        moved(4),
    )
    then(happened(TransferPosted))
    when(moved(5))
    assert scored() == (30, "review")
    when(moved(10))
    then(rejected("declined"))


def test_the_first_line_that_fits_channel_and_segment_has_the_thresholds() -> None:
    given(
        party("p", segment="private"),
        account("alice", 1_000, party_id="p"),
        account("carl", 1_000),
        account("bob"),
    )
    when(
        rules(
            rule("any", over(1), 50),
            thresholds={"review": 50},
            by=[
                {"channels": ["branch"], "segments": ["private"]},
                {"channels": ["branch", "online"], "decline": 50},
            ],
        )
    )
    when(moved(channel="branch"))
    assert scored() == (50, "approve")  # no thresholds: never
    when(moved(channel="online"))
    then(rejected("declined"))
    when(transfer("carl", "bob", 10, channel="branch"))
    then(rejected("declined"))
    when(moved(channel="app"))
    assert scored() == (50, "review")


def test_no_allow_list_lowers_a_stop() -> None:
    """Points fall to zero, not below; the stop declines whatever they are."""
    given(account("alice", 1_000), account("bob"), account("carl"))
    when(
        listing("good", "account", "allow", "bob", "carl"),
        listing("bad", "account", "block", "carl"),
        rules(
            rule("any", over(1), 50),
            rule("known", {"on_list": "good", "of": "counterparty"}, -80),
            rule("blocked", {"on_list": "bad", "of": "counterparty"}, stop=True),
            thresholds={"review": 50},
        ),
        moved(),
    )
    assert scored() == (0, "approve")
    when(transfer("alice", "carl", 10))
    (refused,) = then(rejected("declined"))
    (one,) = msgspec.json.decode(refused.restricted, type=Declined).assessments  # type: ignore[attr-defined]
    assert (one.score, one.verdict) == (0, "decline")
    assert [(hit.rule, hit.points, hit.stop) for hit in one.hits] == [
        ("payments/any", 50, False),
        ("payments/known", -80, False),
        ("payments/blocked", 0, True),
    ]


# --- stages -----------------------------------------------------------------------------------------------


def test_in_shadow_all_is_scored_and_nothing_counts() -> None:
    given(account("alice", 1_000), account("bob"))
    when(rules(rule("stop", over(1), stop=True), stage="shadow"), moved())
    _, noted = then(happened(TransferPosted), happened(RiskAssessed, verdict="approve"))
    (one,) = noted.assessments  # type: ignore[attr-defined]
    assert (one.stage, one.verdict, one.hits[0].counted) == ("shadow", "decline", True)


def test_a_rule_in_shadow_is_noted_beside_those_that_count() -> None:
    given(account("alice", 1_000), account("bob"))
    when(
        rules(
            rule("live", over(1), 50),
            rule("new", over(2), 50, stage="shadow"),
            rule("gone", over(3), 50, stage="off"),
            thresholds={"review": 50, "decline": 100},
        ),
        moved(),
    )
    assert scored() == (50, "review")
    (*_, noted) = story().last
    assert [(hit.rule, hit.counted) for hit in noted.assessments[0].hits] == [  # type: ignore[attr-defined]
        ("payments/live", True),
        ("payments/new", False),
    ]


def test_a_document_that_is_off_is_not_looked_at() -> None:
    given(account("alice", 1_000), account("bob"))
    when(rules(rule("stop", over(1), stop=True)), moved())
    then(rejected("declined"))
    when(rules(rule("stop", over(1), stop=True), stage="off", version=2), moved())
    then(happened(TransferPosted))
    assert story().book.in_force.ruling.key == ""


def test_the_strictest_live_document_decides_and_a_challenger_only_says_what_it_would_do() -> None:
    given(account("alice", 1_000), account("bob"))
    when(
        rules(rule("a", over(5), 50), name="champion"),
        rules(rule("b", over(5), stop=True), name="challenger", stage="shadow"),
        rules(rule("c", over(50), stop=True), name="limits"),
        moved(),
    )
    (*_, noted) = then(happened(TransferPosted), happened(RiskAssessed, verdict="review"))
    assert [(one.rules, one.stage, one.verdict) for one in noted.assessments] == [  # type: ignore[attr-defined]
        ("challenger", "shadow", "decline"),
        ("champion", "live", "review"),
    ]
    when(moved(50))
    then(rejected("declined"))


def test_a_share_is_of_parties_and_always_the_same_ones() -> None:
    """300 of 1,000: by the hash, and not by chance, so that a party meets the same rules every time."""
    names = [f"c{number}" for number in range(40)]
    given(account("bob"), [account(name, 100) for name in names])
    when(rules(rule("some", over(1), stop=True, stage="share", share=300)))
    declined: dict[str, bool] = {}
    for _ in range(2):
        for name in names:
            when(transfer(name, "bob", 1))
            is_declined = isinstance(story().last[0], CommandRejected)
            assert declined.setdefault(name, is_declined) == is_declined
    assert {name for name, one in declined.items() if one} == {
        name
        for name in names
        if int.from_bytes(hashlib.blake2b(f"p-{name}\npayments/some".encode(), digest_size=8).digest())
        % 1_000
        < 300
    }
    assert 0 < sum(declined.values()) < len(names)


def test_outside_the_share_a_document_is_in_shadow() -> None:
    names = [f"c{number}" for number in range(12)]
    given(account("bob"), [account(name, 100) for name in names])
    when(rules(rule("some", over(1), stop=True), stage="share", share=500))
    seen = set()
    for name in names:
        when(transfer(name, "bob", 1))
        last = story().last[-1]
        seen.add("declined" if isinstance(last, CommandRejected) else last.assessments[0].stage)  # type: ignore[attr-defined]
    assert seen == {"declined", "shadow"}


def test_a_rule_is_in_force_from_its_first_moment_up_to_its_last() -> None:
    given(account("alice", 1_000), account("bob"))
    first = story().now + 1_000
    when(rules(rule("sale", over(1), stop=True, from_ms=first, until_ms=first + 10)))
    told = story()
    for now, declines in ((first - 1, False), (first, True), (first + 9, True), (first + 10, False)):
        told.now = now - 1
        when(moved())
        assert isinstance(told.last[0], CommandRejected) == declines, now


def test_rules_published_for_later_begin_later() -> None:
    given(account("alice", 1_000), account("bob"))
    begins = story().now + 60_000
    body = rules(rule("stop", over(1), stop=True))
    when(dataclasses.replace(body, fields={**body.fields, "effective_from_ms": begins}), moved())
    then(happened(TransferPosted))
    when(later(ms=60_000), moved())
    then(rejected("declined"))


# --- what is scored ---------------------------------------------------------------------------------------


def test_what_the_bank_moves_itself_is_not_scored() -> None:
    given(account("alice", 1_000), rails())
    when(rules(rule("stop", over(1), stop=True)), transfer("nostro", "alice", 5))
    then(happened(TransferPosted))


def test_an_amount_in_another_currency_is_not_compared() -> None:
    given(account("alice", 1_000, currency="USD"), account("bob", currency="USD"))
    when(rules(rule("euro", over(1), 50), rule("dollar", over(1, currency="USD"), 50)))
    when(transfer("alice", "bob", 10, currency="USD"))
    (*_, noted) = story().last
    assert [hit.rule for hit in noted.assessments[0].hits] == ["payments/dollar"]  # type: ignore[attr-defined]


def test_a_payment_to_another_book_is_declined_or_noted() -> None:
    given(account("alice", 1_000), agreed())
    when(rules(rule("a", over(5), 50), rule("b", over(50), stop=True)))
    when(send("x1", "alice", 50))
    then(rejected("declined"))
    when(send("x1", "alice", 5))
    then(happened(CrossBookSent), happened(RiskAssessed, movement="x1", verdict="review"))


def test_a_standing_order_is_declined_as_what_it_is() -> None:
    given(account("alice", 1_000), account("bob"))
    when(
        rules(rule("orders", over(1), stop=True, only={"movements": ["standing"]})),
        say(
            CreateStandingOrder,
            order="rent",
            account="alice",
            amount=10,
            currency="EUR",
            to=ToAccount(account="bob"),
            every="month",
            first=TODAY,
            retries=0,
        ),
        later(days=1),
        advance(story().now + DAY_MS),
    )
    (skipped,) = (one for one in story().events() if isinstance(one, StandingOrderSkipped))
    assert (skipped.reason, skipped.figures) == ("declined", {})
    assert msgspec.json.decode(skipped.restricted, type=Declined).account == "alice"
    (told,) = noticed()
    assert (told.account, [one.seq for one in told.evidence]) == ("alice", [skipped.seq])
    when(moved())
    then(happened(TransferPosted))


def test_each_instruction_of_a_bulk_is_scored_and_the_notes_come_last() -> None:
    """So the numbers of the events that the sender may see have no gap that says where a rule applied."""
    given(account("alice", 1_000), account("bob"), account("carl"))
    when(rules(rule("a", over(5), 50), rule("b", over(50), stop=True)))
    when(bulk(("alice", "bob", 6), ("alice", "bob", 60), ("alice", "carl", 1), ("alice", "carl", 7)))
    events = then(
        happened(BulkAccepted),
        happened(TransferPosted, amount=6),
        happened(InstructionRefused, index=1, reason="declined", figures={}),
        happened(TransferPosted, amount=1),
        happened(TransferPosted, amount=7),
        happened(RiskAssessed, amount=6),
        happened(RiskAssessed, amount=7),
    )
    assert [one.of for one in events[-2:]] == [events[1].seq, events[4].seq]  # type: ignore[attr-defined]
    outcome = outcome_of([encode(one) for one in events])
    assert outcome.last_seq == events[4].seq
    assert outcome.last_seq - outcome.seq + 1 == sum(outcome.events.values())
    when(bulk(("alice", "bob", 60), mode="all_or_nothing", bulk_id="other"))
    then(rejected("instruction_refused", refused="declined"))
    assert [(one.amount, one.figures["verdict"]) for one in noticed()] == [
        (60, "decline"),
        (6, "review"),
        (7, "review"),
        (60, "decline"),
    ]
    assert len({one.id for one in noticed()}) == 4


def test_no_outcome_shows_that_a_rule_applied() -> None:
    given(account("alice", 1_000), account("bob"))
    when(moved())
    without = outcome_of([encode(one) for one in story().last])
    when(rules(rule("a", over(5), 50)), moved())
    with_rules = outcome_of([encode(one) for one in story().last])
    assert len(story().last) == 2
    assert (with_rules.events, with_rules.last_seq) == (without.events, without.last_seq)


def test_an_approver_sees_nothing_of_it_and_it_is_decided_by_the_rules_of_the_moment() -> None:
    given(account("alice", 1_000), account("bob"), staff(), policy(line("Transfer"), document="four-eyes"))
    when(rules(rule("a", over(5), 50)), moved().by("mia"))
    (asked,) = then(happened(ApprovalRequested))
    assert asked.terms.events == ("TransferPosted",)  # type: ignore[attr-defined]
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(TransferPosted), happened(RiskAssessed, verdict="review"))
    when(moved().by("mia"), rules(rule("a", over(5), stop=True), version=2))
    when(approve("cora"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="declined", figures={}))


# --- models and flags -------------------------------------------------------------------------------------


def by_net(score: int, version: int = 1, name: str = "net") -> Origin:
    return Origin(scores=(ModelScore(model=name, version=version, score=score),))


def test_a_score_is_read_of_the_version_in_force_and_within_its_range_only() -> None:
    given(account("alice", 1_000), account("bob"))
    when(model("net", highest=900), rules(rule("net", {"model": "net", "at_least": 500}, 50)))
    for origin, applies in (
        (None, False),
        (by_net(499), False),
        (by_net(500), True),
        (by_net(500, version=2), False),
        (by_net(500, name="other"), False),
        (by_net(901), False),
    ):
        when(moved(origin=origin))
        assert len(story().last) == 1 + applies, origin
    when(model("net", version=2), moved(origin=by_net(500)))
    then(happened(TransferPosted))
    when(moved(origin=by_net(950, version=2)))
    then(happened(TransferPosted), happened(RiskAssessed))


def test_a_challenger_is_read_in_shadow_only() -> None:
    given(account("alice", 1_000), account("bob"))
    asks = {"model": "net", "at_least": 500}
    when(
        model("net", role="challenger"),
        rules(rule("live", over(1), 50), rule("net", asks, 50, stage="shadow")),
        moved(origin=by_net(700)),
    )
    (*_, noted) = story().last
    assert [hit.rule for hit in noted.assessments[0].hits] == ["payments/live", "payments/net"]  # type: ignore[attr-defined]
    when(model("net", version=2))
    when(rules(rule("live", over(1), 10), rule("net", asks, 50), version=2))
    when(model("net", version=3, role="challenger"), moved(origin=by_net(700, version=3)))
    (*_, noted) = story().last
    assert [hit.rule for hit in noted.assessments[0].hits] == ["payments/live"]  # type: ignore[attr-defined]


def test_a_flag_counts_until_it_expires() -> None:
    given(account("alice", 1_000), account("bob"))
    ends = story().now + 60_000
    when(
        say(RaiseFlag, subject="account", of="bob", flag="mule", expires_at_ms=ends, score=600),
        rules(
            rule("mule", {"flag": "mule", "of": "counterparty"}, 50),
            rule("sure", {"flag": "mule", "of": "counterparty", "at_least": 601}, 50),
        ),
        moved(),
    )
    assert scored() == (50, "review")
    when(later(ms=60_000), moved())
    then(happened(TransferPosted))


def test_entries_of_a_list_end_when_they_say() -> None:
    given(account("alice", 1_000), account("bob"), rails())
    ends = story().now + 60_000
    key = payee_key(PAYEE.account)
    when(
        listing("bad", "payee", "block", key, **{key: ends}),
        rules(rule("blocked", {"on_list": "bad", "of": "payee"}, stop=True)),
        pay("p1", 10),
    )
    then(rejected("declined"))
    when(later(ms=60_000), pay("p1", 10))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))


def test_what_a_bulk_did_before_counts_for_what_it_does_next() -> None:
    """All or nothing decides on an overlay first; what is counted there is what is counted."""
    given(account("alice", 1_000), account("bob"))
    when(rules(rule("third", {"feature": "out_count_24h", "at_least": 3}, stop=True)))
    when(bulk(*[("alice", "bob", 1)] * 3, mode="all_or_nothing", bulk_id="b1"))
    then(rejected("instruction_refused", index=2, refused="declined"))
    when(bulk(*[("alice", "bob", 1)] * 3, bulk_id="b2"))
    then(
        happened(BulkAccepted),
        happened(TransferPosted),
        happened(TransferPosted),
        happened(InstructionRefused, index=2, reason="declined"),
    )

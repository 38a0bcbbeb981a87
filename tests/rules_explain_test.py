"""The waterfall: whatever became of a movement, the log says what the rules saw and made of it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.fold import Folded
from replay.explain import Explained, explained
from replay.scored import NotScored, find, scored
from schemas.flags import RaiseFlag
from schemas.instructions import ToAccount, ToPayee
from schemas.orders import CreateStandingOrder
from schemas.payees import payee_key
from schemas.risk import ModelScore, Origin
from tests.approvals_words import approve, line, policy, staff
from tests.bulk_test import bulk
from tests.crossbook_words import agreed, send
from tests.payment_words import PAYEE, pay, rails
from tests.risk_words import listing, model, over, rule, rules
from tests.story import (
    DAY_MS,
    MAIN,
    TODAY,
    Word,
    account,
    advance,
    given,
    party,
    say,
    story,
    transfer,
    when,
)

OFTEN = {"feature": "out_count_24h", "at_least": 3}


def of(name: str) -> Explained:
    """The newest movement of this name, explained from the log alone."""
    log = story().log.reader()
    return explained(scored(log, Folded(), find(log, MAIN, name)[-1]))


def business() -> list[Word]:
    return [
        party("pa", segment="retail", country="DE"),
        account("alice", 100_000, party_id="pa"),
        account("bob", 10_000),
        account("carl"),
        rails(),
        agreed(),
        listing("good", "account", "allow", "carl"),
        listing("bad", "payee", "block", payee_key("GB1")),
        model("net"),
        say(RaiseFlag, subject="account", of="bob", flag="mule", expires_at_ms=2_000_000_000_000),
        rules(
            rule("large", over(5_000), 50, why="Large for a household", group="size"),
            rule("larger", over(20_000), 40, group="size"),
            rule("often", OFTEN, 30),
            rule("mule", {"all": [over(1), {"flag": "mule", "of": "counterparty"}]}, 20),
            rule("known", {"on_list": "good", "of": "counterparty"}, -30),
            rule("blocked", {"on_list": "bad", "of": "payee"}, stop=True),
            rule("net", {"model": "net", "above": 800}, 60),
            rule("new", {"any": [over(9_000), {"feature": "night", "holds": True}]}, 5, stage="shadow"),
            caps=[{"group": "size", "most": 80}],
            thresholds={"review": 50, "decline": 80},
        ),
        rules(rule("r", over(100), 10), name="challenger", stage="shadow", thresholds={"review": 10}),
    ]


def test_a_declined_payment_is_told_rule_by_rule() -> None:
    given(*business())
    origin = Origin(scores=(ModelScore(model="net", version=1, score=900),))
    when(pay("p1", 6_000, origin=origin, channel="app"))
    told = of("p1")
    assert told.as_recorded
    assert (told.verdict, told.event, told.movement, told.kind) == (
        "decline",
        "CommandRejected",
        "p1",
        "payment_out",
    )
    assert (told.account, told.party, told.channel, told.corridor, told.shown) == (
        "alice",
        "pa",
        "app",
        "DE-DE",
        "60.00 EUR",
    )
    assert told.counterparty == PAYEE.account
    live = next(one for one in told.documents if one.live)
    assert (live.rules, live.score, live.review, live.decline, live.verdict) == (
        "payments",
        110,
        50,
        80,
        "decline",
    )
    lines = {one.rule: one for one in live.lines}
    assert lines["payments/large"].says == "amount at least 50.00 EUR"
    assert [(one.asks, one.shown, one.holds) for one in lines["payments/net"].values] == [
        ("the score of the model net", "900", True)
    ]
    assert [one.rule for one in live.lines if one.counted] == ["payments/large", "payments/net"]
    assert not lines["payments/often"].holds
    assert lines["payments/new"].says == "amount at least 90.00 EUR or night: yes"
    (challenger,) = (one for one in told.documents if not one.live)
    assert (challenger.rules, challenger.score, challenger.verdict) == ("challenger", 10, "review")
    assert {one.feature: one.shown for one in told.features}["out_count_24h"] == "1"


def test_the_accounts_norm_is_what_it_had_paid_before() -> None:
    given(account("alice", 100_000), account("bob"))
    when(rules(rule("far", {"feature": "payments_seen", "at_least": 9}, 10), rule("a", over(1), 10)))
    for amount in (100, 200, 600):
        when(transfer("alice", "bob", amount))
    told = of(f"#{story().last[0].seq}")
    assert told.norm is not None
    assert (told.norm.payments, told.norm.mean, told.norm.deviation) == (2, 150, 50)


def cases() -> list[tuple[str, str, str, list[Word]]]:
    """Of which command, in which event, to which verdict, and what is said."""
    yes: Word = transfer("alice", "carl", 6_000).with_id("it")
    return [
        ("a transfer", "TransferPosted", "approve", [transfer("alice", "bob", 5).with_id("it")]),
        ("a transfer to review", "TransferPosted", "review", [transfer("alice", "bob", 6_000).with_id("it")]),
        ("lowered", "TransferPosted", "approve", [yes]),
        ("declined", "CommandRejected", "decline", [transfer("alice", "bob", 30_000).with_id("it")]),
        ("a payment to review", "PaymentSubmitted", "review", [pay("it", 6_000)]),
        (
            "a blocked payee",
            "CommandRejected",
            "decline",
            [pay("it", 5, payee={"name": "B", "account": "GB1"})],
        ),
        ("to another book", "CrossBookSent", "review", [send("it", "alice", 6_000)]),
        ("to another book, declined", "CommandRejected", "decline", [send("it", "alice", 30_000)]),
        (
            "of a bulk",
            "InstructionRefused",
            "decline",
            [bulk(("alice", "carl", 1), ("alice", "bob", 30_000)).with_id("it")],
        ),
        (
            "with its whole bulk",
            "CommandRejected",
            "decline",
            [
                bulk(
                    ("alice", "bob", 1), ("alice", "bob", 2), ("alice", "bob", 20_000), mode="all_or_nothing"
                ).with_id("it")
            ],
        ),
    ]


@pytest.mark.parametrize(
    ("event", "verdict", "said"), [one[1:] for one in cases()], ids=[one[0] for one in cases()]
)
def test_it_is_what_was_noted_at_the_time(event: str, verdict: str, said: list[Word]) -> None:
    given(*business())
    when(transfer("alice", "carl", 10), *said, transfer("alice", "carl", 20))
    told = of("it")
    assert told.as_recorded
    assert (told.event, told.verdict) == (event, verdict)
    assert told.account == "alice"


@pytest.mark.parametrize(
    ("amount", "to", "event"),
    [
        (6_000, ToAccount(account="bob"), "TransferPosted"),
        (30_000, ToAccount(account="bob"), "StandingOrderMissed"),
        (6_000, ToPayee(rail="sepa", payee=PAYEE), "PaymentSubmitted"),
    ],
)
def test_standing_orders_are_told_as_what_they_are(amount: int, to: Any, event: str) -> None:
    given(*business())
    when(
        say(
            CreateStandingOrder,
            order="rent",
            account="alice",
            amount=amount,
            currency="EUR",
            to=to,
            every="month",
            first=TODAY,
        ),
        advance(story().now + DAY_MS),
    )
    seq, *_ = (one.seq for one in story().events() if type(one).__name__ == event and one.timer)
    told = of(f"#{seq}")
    assert told.as_recorded
    assert (told.kind, told.event, told.amount) == ("standing", event, amount)


def test_what_was_approved_and_then_declined_is_told_too() -> None:
    given(*business(), staff(), policy(line("Transfer"), document="four-eyes"))
    when(transfer("alice", "bob", 6_000).by("mia"))
    when(rules(rule("all", over(1), stop=True), name="later"))
    when(approve("cora").with_id("it"))
    told = of("it")
    assert (told.event, told.verdict, told.as_recorded) == ("ApprovalFailed", "decline", True)
    assert {one.rules for one in told.documents if one.live} == {"later", "payments"}


def test_what_rules_never_looked_at_is_not_explained() -> None:
    given(*business())
    when(transfer("alice", "bob", 10**9).with_id("poor"))
    log = story().log.reader()
    for name in ("poor", "nobody", "#1", "#999999", "#x"):
        with pytest.raises(NotScored):
            find(log, MAIN, name)


def test_a_movement_before_there_were_rules_has_nothing_to_tell() -> None:
    given(account("alice", 100), account("bob"))
    when(transfer("alice", "bob", 1).with_id("it"), rules(rule("a", over(1), 50)))
    told = of("it")
    assert (told.documents, told.verdict, told.as_recorded, told.norm) == ((), "approve", True, None)

"""Every feature against its naive twin, over random business: ties, clock jumps, value dates in any order."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from book.digest import book_digest
from book.features.counts import AccountCounts
from book.features.keeping import COUNTERS
from commands.features import READ
from commands.movements import Movement
from engine.snapshots import decode_snapshot, encode_snapshot
from schemas.accounts import SetOverdraft
from schemas.approvals import ApprovalFailed, ApprovalGiven
from schemas.features import FEATURES, Feature
from schemas.instructions import ToAccount
from schemas.orders import CreateStandingOrder
from schemas.parties import ChangePartyProfile
from schemas.payments import Payee
from schemas.risk import Origin
from tests.approvals_words import approve, line, policy, staff
from tests.bulk_test import bulk
from tests.crossbook_words import agreed, receive, send
from tests.features_twin import VALUES, Asked, Twin
from tests.payment_words import pay, rails, report
from tests.payments_in_test import received
from tests.risk_words import barred_channel, rule, rules
from tests.story import (
    Said,
    Story,
    account,
    advance,
    book,
    given,
    happened,
    internal,
    later,
    party,
    say,
    story,
    then,
    transfer,
    when,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ZONE = "Europe/Berlin"
CURRENCIES = {"a1": "EUR", "a2": "EUR", "a3": "USD", "b1": "EUR"}
"""a1, a2 and a3 are one party's."""
STEPS = st.sampled_from(
    [
        0,
        0,
        1,
        60_000,
        10 * 60_000,
        7 * 60_000,
        HOUR_MS,
        5 * HOUR_MS,
        25 * HOUR_MS,
        3 * DAY_MS,
        8 * DAY_MS,
        31 * DAY_MS,
    ]
)
TODAY = datetime.date(2024, 5, 15)
AMOUNTS = st.sampled_from([1, 99, 10_000, 10_000, 123_456, 1_000_000])
COUNTRIES = st.sampled_from(["DE", "FR", "US", "NZ", "ZZ", ""])
ORIGINS = st.one_of(
    st.none(), st.builds(Origin, device=st.sampled_from(["d1", "d2", "d3", ""]), country=COUNTRIES)
)
CHANNELS = st.sampled_from(["", "web", "app", "branch", "barred"])
TRANSFERS = st.fixed_dictionaries(
    {
        "debit": st.sampled_from(["a1", "a1", "a1", "a2", "b1", "nostro"]),
        "credit": st.sampled_from(["a1", "a2", "b1", "nostro"]),
        "amount": st.one_of(AMOUNTS, st.just(2**61)),
        "value_date": st.sampled_from([None, None, TODAY, TODAY - datetime.timedelta(days=3)]),
        "channel": CHANNELS,
        "corridor": st.sampled_from(["", "DE-FR", "DE-US", "home", "x-"]),
        "origin": ORIGINS,
    }
)
ASKED = st.tuples(TRANSFERS, STEPS).map(lambda both: {**both[0], "later": both[1]})
PAYEES = ["DE02 1203 0000 0000 2020 51", "de02120300000000202051", "FR76", "a2"]
PAYMENTS = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["a1", "a2", "b1"]),
        "amount": AMOUNTS,
        "payee": st.builds(Payee, name=st.just("P"), account=st.sampled_from(PAYEES), country=COUNTRIES),
        "channel": CHANNELS,
        "origin": ORIGINS,
        "then": st.sampled_from(["", "failed", "settled", "returned", "returned"]),
    }
)
ACTS = st.one_of(
    st.tuples(st.just("transfer"), TRANSFERS),
    st.tuples(st.just("transfer"), TRANSFERS),
    st.tuples(st.just("pay"), PAYMENTS),
    st.tuples(st.just("dollars"), st.sampled_from([1, 500])),
    st.tuples(st.just("profile"), st.sampled_from(["p-a", "p-b"])),
    st.tuples(st.just("overdraft"), st.sampled_from([0, 5_000_000])),
    st.tuples(st.just("send"), AMOUNTS),
    st.tuples(st.just("receive"), AMOUNTS),
    st.tuples(st.just("came"), AMOUNTS),
)


STORIES = st.tuples(STEPS, ACTS)


def asking(*names: str, stage: str = "shadow", version: int = 1) -> Said:
    """Rules in force that ask for these features, and count nothing."""
    asked = [_asked(FEATURES[name]) for name in names]
    some = [{"any": asked[start : start + 20]} for start in range(0, len(asked), 20)]
    return rules(rule("asks", {"any": some}, 1), name="asking", stage=stage, version=version)


def _asked(one: Feature) -> dict[str, Any]:
    bound = {"holds": True} if one.unit == "yes_no" else {"at_least": 1}
    return {"feature": one.name, **bound}


def begin() -> tuple[Story, int]:
    """The story, and when its features began to count."""
    told = given(
        book(time_zone=ZONE),
        party("p-a", country="DE"),
        party("p-b"),
        rails(),
        agreed(),
        account("a1", 2_000_000, party_id="p-a", overdraft=500_000),
        account("a2", 700_000, party_id="p-a"),
        account("a3", 5_000, party_id="p-a", currency="USD"),
        account("b1", 2**62, party_id="p-b"),
        internal("income", "income"),
        barred_channel(),
    )
    since_ms = told.book.at
    when(asking(*FEATURES))
    assert told.book.in_force.kept_features == tuple(sorted(FEATURES))
    return told, since_ms


def act(told: Story, number: int, step: int, kind: str, about: Any) -> None:
    told.now += step
    match kind:
        case "transfer":
            if about["debit"] != about["credit"]:
                when(transfer(**about))
        case "pay":
            what = {**about}
            then = what.pop("then")
            when(pay(f"p{number}", what.pop("amount"), what.pop("account"), **what))
            for status in ("settled", "returned") if then == "returned" else (then,) if then else ():
                amount = 1 if status == "returned" else None
                when(report(f"p{number}", status, amount, ref=f"r{number}").by("sepa-gate"))
        case "dollars":
            when(transfer("a3", "nostro-usd", about, currency="USD"))
        case "profile":
            when(say(ChangePartyProfile, party=about, segment=f"s{number}", country=("DE", "FR")[number % 2]))
        case "overdraft":
            when(say(SetOverdraft, account="a1", overdraft=about))
        case "send":
            when(send(f"s{number}", "a1", about, to_account=f"olga{number % 3}", channel="web"))
        case "receive":
            when(receive(number + 1, "a2", about))
        case "came":
            when(received(f"in{number}", ("a1", "b1")[number % 2], about))
        case _:
            raise AssertionError(kind)


def compare(told: Story, since_ms: int, about: Any) -> None:
    """All features of all accounts, for a movement that might come now."""
    at_ms = max(told.now, told.book.at) + about["later"]
    happened = told.events()
    for name, currency in CURRENCIES.items():
        held = told.book.accounts[name]
        twin = Twin(happened, since_ms, ZONE, held.booked - held.held)
        asked = Asked(name, about["amount"], currency, about["credit"], at_ms, *_how(about))
        movement = Movement(
            "transfer", name, held, asked.amount, currency, asked.counterparty, asked.channel, asked.corridor
        )
        found = {one: READ[one](told.book, movement, asked.origin, at_ms) for one in FEATURES}
        assert found == {one: twin.value(one, asked) for one in FEATURES}, name


def _how(about: Any) -> tuple[str, str, Origin | None]:
    return about["channel"], about["corridor"], about["origin"]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given_any(st.lists(STORIES, min_size=10, max_size=25), st.lists(ASKED, min_size=3, max_size=3))
def test_every_feature_is_what_its_twin_says(
    acts: list[tuple[int, tuple[str, Any]]], asked: list[Any]
) -> None:
    told, since_ms = begin()
    for number, (step, (kind, about)) in enumerate(acts):
        act(told, number, step, kind, about)
        compare(told, since_ms, asked[number % 3])
    told.check()
    folded = told.worker.folded
    loaded = decode_snapshot(encode_snapshot(folded))
    assert loaded is not None
    assert book_digest(loaded.partition.books["main"]) == book_digest(told.book)


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given_any(st.lists(STORIES, min_size=40, max_size=120), st.lists(ASKED, min_size=3, max_size=3))
def test_long_stories_too(acts: list[tuple[int, tuple[str, Any]]], asked: list[Any]) -> None:
    told, since_ms = begin()
    for number, (step, (kind, about)) in enumerate(acts):
        act(told, number, step, kind, about)
        if number % 10 == 9:
            compare(told, since_ms, asked[number % 3])


def test_every_feature_has_a_twin_and_names_counters_that_exist() -> None:
    assert VALUES.keys() == FEATURES.keys() == READ.keys()
    assert len(FEATURES) >= 40
    kept = {counter for one in FEATURES.values() for counter in one.keeps}
    assert kept == set(COUNTERS)


def test_only_what_a_rule_asks_for_is_kept() -> None:
    told = given(account("alice", 1_000), account("bob"))
    when(transfer("alice", "bob", 10))
    assert told.book.in_force.keeping is None
    assert all(one.counts is None for one in told.book.accounts.values())
    when(asking("out_count_1h"), transfer("alice", "bob", 10))
    counts = told.book.accounts["alice"].counts
    assert counts is not None
    assert counts.out is not None
    assert counts.out.count == 1
    assert (counts.out.marks_24h, counts.into, counts.moments) == (b"", None, None)
    when(asking("out_count_1h", "in_sum_24h", version=2), transfer("alice", "bob", 10))
    assert counts.out.count == 2, "what was counted goes on"
    when(asking("in_sum_24h", version=3))
    assert counts == AccountCounts(), "what no rule asks for any more is forgotten"
    when(asking("in_sum_24h", version=4, stage="off"))
    assert told.book.in_force.keeping is None
    assert all(one.counts is None for one in told.book.accounts.values())
    assert all(one.counts is None for one in told.book.parties.values())


def declined_of_alice() -> int:
    counts = story().book.accounts["alice"].counts
    return 0 if counts is None or counts.declined is None else counts.declined.count


LARGE = rule("large", {"feature": "amount", "at_least": 50}, stop=True)


def test_whatever_way_it_was_asked_for_what_rules_decline_counts() -> None:
    given(account("alice", 1_000), account("bob"), asking("declined_24h"), rules(LARGE))
    when(transfer("alice", "bob", 50))
    assert declined_of_alice() == 1
    when(bulk(("alice", "bob", 60), ("alice", "bob", 1), ("alice", "bob", 70)))
    assert declined_of_alice() == 3
    when(bulk(("alice", "bob", 60), mode="all_or_nothing", bulk_id="other"))
    assert declined_of_alice() == 4
    when(transfer("alice", "bob", 5_000))
    assert declined_of_alice() == 4, "what was refused for another reason was not declined by rules"
    order = {"account": "alice", "amount": 60, "currency": "EUR", "to": ToAccount(account="bob")}
    when(say(CreateStandingOrder, order="rent", every="day", first=TODAY, retries=1, **order))
    when(later(days=1), advance(story().now + DAY_MS))
    kinds = [type(one).__name__ for one in story().events() if getattr(one, "order", "") == "rent"]
    refused = sum(kind in {"StandingOrderMissed", "StandingOrderSkipped"} for kind in kinds)
    assert refused > 1
    assert declined_of_alice() == 4 + refused


def test_what_is_declined_once_it_is_approved_counts_too() -> None:
    given(account("alice", 1_000), account("bob"), staff(), asking("declined_24h"))
    when(policy(line("Transfer"), document="four-eyes"), transfer("alice", "bob", 60).by("mia"))
    when(rules(LARGE), approve("cora"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="declined"))
    assert declined_of_alice() == 1

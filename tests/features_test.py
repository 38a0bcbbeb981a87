"""Every feature against its naive twin, over random business: ties, clock jumps, value dates in any order."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

from book.features.keeping import COUNTERS, keep
from commands.features import READ
from commands.movements import Movement
from schemas.features import FEATURES
from schemas.parties import ChangePartyProfile
from tests.features_twin import VALUES, Asked, Twin
from tests.story import Story, account, advance, book, given, internal, party, say, story, transfer, when

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ZONE = "Europe/Berlin"
CURRENCIES = {"a1": "EUR", "a2": "EUR", "a3": "USD", "b1": "EUR"}
"""a1, a2 and a3 are one party's."""
STEPS = [0, 0, 1, 60_000, 10 * 60_000, HOUR_MS, 7 * HOUR_MS, DAY_MS, 3 * DAY_MS, 8 * DAY_MS, 40 * DAY_MS]
TODAY = datetime.date(2024, 5, 15)
TRANSFERS = st.fixed_dictionaries(
    {
        "debit": st.sampled_from(["a1", "a1", "a2", "b1", "nostro"]),
        "credit": st.sampled_from(["a1", "a2", "b1", "nostro"]),
        "amount": st.sampled_from([1, 99, 10_000, 10_000, 123_456, 100_000, 2**61]),
        "value_date": st.sampled_from([None, None, TODAY, TODAY - datetime.timedelta(days=3)]),
    }
)
ACTS = st.one_of(
    st.tuples(st.just("transfer"), TRANSFERS),
    st.tuples(st.just("dollars"), st.sampled_from([1, 500])),
    st.tuples(st.just("pass"), st.sampled_from(STEPS)),
    st.tuples(st.just("profile"), st.sampled_from(["p-a", "p-b"])),
)


def begin(names: Sequence[str]) -> Story:
    told = given(
        book(time_zone=ZONE),
        party("p-a"),
        party("p-b"),
        account("a1", party_id="p-a", overdraft=500_000),
        account("a2", 700_000, party_id="p-a"),
        account("a3", 5_000, party_id="p-a", currency="USD"),
        account("b1", 2**62, party_id="p-b"),
        internal("income", "income"),
    )
    keep(told.book, names)
    return told


def compare(told: Story, since_ms: int, names: Sequence[str], amount: int) -> None:
    at_ms = max(told.now, told.book.at)
    for name, currency in CURRENCIES.items():
        held = told.book.accounts[name]
        twin = Twin(told.events(), since_ms, ZONE, held.booked - held.held)
        asked = Asked(name, amount, currency, "x", at_ms)
        movement = Movement("transfer", name, held, amount, currency, "x")
        found = {one: READ[one](told.book, movement, None, at_ms) for one in names}
        assert found == {one: twin.value(one, asked) for one in names}, name


@pytest.mark.by_hand
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given_any(st.lists(ACTS, min_size=5, max_size=30), st.sampled_from([1, 10_000, 2**62]))
def test_every_feature_is_what_its_twin_says(acts: list[tuple[str, Any]], amount: int) -> None:
    told = begin(sorted(FEATURES))
    since_ms = told.book.at
    for act, about in acts:
        match act:
            case "transfer":
                if about["debit"] != about["credit"]:
                    when(transfer(**about))
            case "dollars":
                when(transfer("a3", "nostro-usd", about, currency="USD"))
            case "profile":
                when(say(ChangePartyProfile, party=about, segment=f"s{told.now}"))
            case _:
                told.now += about
                when(advance(max(told.now, told.book.at + 1)))
        compare(told, since_ms, sorted(FEATURES), amount)


def test_every_feature_has_a_twin_and_names_counters_that_exist() -> None:
    assert VALUES.keys() == FEATURES.keys() == READ.keys()
    kept = {counter for one in FEATURES.values() for counter in one.keeps}
    assert kept == set(COUNTERS)


@pytest.mark.by_hand
def test_nothing_is_kept_that_no_rule_asks_for() -> None:
    told = begin(())
    when(transfer("a2", "b1", 10))
    assert told.book.in_force.keeping is None
    assert all(one.counts is None for one in told.book.accounts.values())
    keep(told.book, ["out_count_1h"])
    when(transfer("a2", "b1", 10))
    counts = story().book.accounts["a2"].counts
    assert counts is not None
    assert counts.out_1h is not None
    assert counts.out_24h is counts.in_24h is None
    keep(told.book, [])
    assert all(one.counts is None for one in told.book.accounts.values())

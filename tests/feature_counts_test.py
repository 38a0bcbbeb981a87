"""The parts that features are counted with, each against a list that remembers all; with small caps."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from book.features.moments import Moments
from book.features.seen import Known, Recent, Sharing, digest, newest, payee_digest, place, times
from book.features.windows import Window
from commands.distances import km_between
from schemas.countries import MIDDLES
from schemas.fields import INT64_MAX
from tests.features_twin import kilometres

MINUTE_MS = 60_000
MOST = 3
JUMPS = st.sampled_from([0, 0, 1, 9, 10, 11, 25, 95, 100, 101, 10**6])
NAMES = st.sampled_from("abcdef")


def at_times(steps: list[int]) -> list[int]:
    return [sum(steps[: index + 1]) for index in range(len(steps))]


@given(st.lists(st.tuples(JUMPS, st.sampled_from([1, 7, INT64_MAX])), max_size=40), JUMPS)
@settings(max_examples=200)
def test_a_window_is_the_sum_of_the_slices_that_still_count(acts: list[tuple[int, int]], later: int) -> None:
    window = Window()
    times_ = at_times([step for step, _ in acts])
    for at, (_, amount) in zip(times_, acts, strict=True):
        window.add(at // 10, 10, amount)
    for now in ((times_ or [0])[-1], (times_ or [0])[-1] + later):
        first = now // 10 - 10
        counted = [amount for at, (_, amount) in zip(times_, acts, strict=True) if at // 10 >= first]
        assert window.count_from(first) == len(counted)
        assert window.total_from(first) == min(sum(counted), INT64_MAX)


@given(st.lists(st.tuples(JUMPS, NAMES), max_size=40), NAMES, JUMPS)
@settings(max_examples=200)
def test_known_are_the_newest_and_whoever_comes_again_is_new(
    acts: list[tuple[int, str]], asked: str, back: int
) -> None:
    known = Known()
    naive: list[tuple[str, int, int]] = []
    now = 0
    for step, name in acts:
        now += step
        known.see(digest(name), now * MINUTE_MS + 59_999, MOST)
        first = next((one[1] for one in naive if one[0] == name), now)
        naive = ([one for one in naive if one[0] != name] + [(name, first, now)])[-MOST:]
    assert known.first_minute(digest(asked)) == next((one[1] for one in naive if one[0] == asked), -1)
    since = [one[0] for one in naive if one[2] >= now - back]
    assert known.seen_from(now - back, digest(asked)) == (len(since), asked in since)


@given(st.lists(st.tuples(JUMPS, NAMES, st.integers(1, 3)), max_size=40), NAMES, st.integers(1, 3), JUMPS)
@settings(max_examples=200)
def test_recent_are_the_newest_payments(
    acts: list[tuple[int, str, int]], payee: str, amount: int, back: int
) -> None:
    recent = Recent()
    naive: list[tuple[int, str, int]] = []
    now = 0
    for step, name, size in acts:
        now += step
        recent.add(digest(name), size, now * MINUTE_MS, MOST)
        naive = [*naive, (now, name, size)][-MOST:]
    since = [one for one in naive if one[0] >= now - back]
    assert recent.to_payee(digest(payee), now - back) == sum(one[1] == payee for one in since)
    assert recent.of_amount(amount, now - back) == sum(one[2] == amount for one in since)


@given(st.lists(st.tuples(JUMPS, NAMES, NAMES), max_size=40), NAMES, NAMES, st.integers(0, 100), JUMPS)
@settings(max_examples=200)
def test_sharing_is_remembered_for_a_turn_at_least(
    acts: list[tuple[int, str, str]], what: str, who: str, back: int, later: int
) -> None:
    """Turns are of 100 minutes."""
    sharing = Sharing()
    naive: dict[str, list[tuple[str, int]]] = {}
    now = 0
    for step, thing, person in acts:
        now += step
        sharing.see(digest(thing), digest(person), now * MINUTE_MS, 100 * MINUTE_MS, MOST)
        others = [one for one in naive.get(thing, []) if one[0] != person]
        naive[thing] = [*others, (person, now)][-MOST:]
    since = now + later - min(back, 100)
    found = [one for one, minute in naive.get(what, []) if minute >= since and one != who]
    assert sharing.others_from(digest(what), digest(who), since) == len(found)
    assert len(sharing.now) + len(sharing.before) <= len(naive)


def test_what_is_shared_no_more_is_forgotten_a_little_at_a_time() -> None:
    sharing = Sharing()
    for number in range(100):
        sharing.see(digest(f"d{number}"), digest("p"), 0, 10, MOST)
    sharing.see(digest("x"), digest("p"), 10, 10, MOST)
    assert (len(sharing.before), len(sharing.leaving)) == (100, 0)
    sharing.see(digest("x"), digest("p"), 20, 10, MOST)
    assert (len(sharing.now), len(sharing.before), len(sharing.leaving)) == (1, 0, 98)
    for _ in range(49):
        sharing.see(digest("x"), digest("p"), 21, 10, MOST)
    assert not sharing.leaving
    sharing.see(digest("y"), digest("p"), 10**9, 10, MOST)
    assert (len(sharing.now), len(sharing.before), len(sharing.leaving)) == (1, 0, 0)


@given(st.lists(st.integers(1, INT64_MAX), max_size=30))
def test_moments_are_exact_whatever_the_amounts(amounts: list[int]) -> None:
    moments = Moments()
    for one in amounts:
        moments.add(one)
    assert moments.sums() == (sum(amounts), sum(one * one for one in amounts))
    assert max(moments.total, moments.squares, moments.upper_total) <= INT64_MAX


@given(st.lists(st.binary(min_size=2, max_size=2)), st.binary(min_size=2, max_size=2))
def test_only_what_stands_at_its_own_place_is_found(keys: list[bytes], wanted: bytes) -> None:
    packed = b"".join(keys)
    assert place(packed, wanted) == (2 * keys.index(wanted) if wanted in keys else -1)
    assert times(wanted, packed, 0) == keys.count(wanted)
    left = [one for one in dict.fromkeys(reversed(keys)) if one != wanted][: MOST - 1]
    lru = b""
    for one in keys:
        lru = newest(lru, one, MOST)
    assert newest(lru, wanted, MOST) == b"".join(reversed([wanted, *left]))


def test_a_payee_is_the_same_whatever_its_spacing_and_case() -> None:
    assert payee_digest("DE02 1203 0000") == payee_digest("de0212030000") != payee_digest("DE0212030001")
    assert len(payee_digest("x")) == len(digest("x")) == 8


def test_distances_are_those_of_the_haversine_formula() -> None:
    names = sorted(MIDDLES)
    for index, one in enumerate(names):
        for other in names[index % 7 :: 7]:
            exact = kilometres(MIDDLES[one], MIDDLES[other])
            found = km_between(one, other)
            assert found is not None
            assert abs(found - exact) <= 1, (one, other)
            assert found == km_between(other, one)
    assert (km_between("DE", "DE"), km_between("DE", "ZZ"), km_between("", "DE")) == (0, None, None)
    assert max(km_between(one, "NZ") or 0 for one in names) <= math.ceil(math.pi * 6_371)

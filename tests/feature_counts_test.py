"""The parts that features are counted with, each against a list that remembers all; with small caps."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.features import seen
from book.features.moments import Moments
from book.features.seen import Sharing, digest, payee_digest
from book.features.turnover import PART_MS, SPANS, Turnover
from commands.distances import km_between
from schemas.countries import MIDDLES
from schemas.fields import INT64_MAX
from tests.features_twin import kilometres

MINUTE_MS = 60_000
MOST = 3
JUMPS = st.sampled_from([0, 0, 1, 9, 10, 11, 25, 95, 100, 101, 10**6])
NAMES = st.sampled_from("abcdef")
PARTS = st.sampled_from([0, 0, 1, 1, 5, 6, 7, 143, 144, 145, 6 * 144, 29 * 144, 31 * 144, 2**16 + 2, 2**18])
"""Steps in parts of an hour, more than 2**16 too: slices are told apart by the lower half of a number."""


@given(
    st.lists(st.tuples(PARTS, st.sampled_from([1, 7, INT64_MAX])), min_size=1, max_size=60),
    PARTS,
    st.integers(0, 40),
    st.integers(0, 15),
)
@settings(max_examples=300, deadline=None)
def test_a_window_is_the_sum_of_the_slices_that_still_count(
    acts: list[tuple[int, int]], later: int, since: int, kept: int
) -> None:
    """The other windows begin with the movement number `since`."""
    turnover = Turnover()
    moved: list[tuple[int, int]] = []
    part = 0
    for number, (step, amount) in enumerate(acts):
        part += step
        if number == since and number:
            for one in SPANS.values():
                if not one.bit & kept:
                    turnover.begin(one)
        turnover.add(part * PART_MS + 5, amount, kept if number < since else 15)
        moved.append((part, amount))
    for now in (part, part + later):
        for one in SPANS.values():
            marks = getattr(turnover, one.field)
            begun = 0 if one.bit & kept or not since else since
            counted = [
                amount for at, amount in moved[begun:] if at // one.parts >= now // one.parts - one.slices
            ]
            assert turnover.count_in(marks, one.parts, one.slices, now * PART_MS) == len(counted)
            assert turnover.total_in(marks, one.parts, one.slices, now * PART_MS) == min(
                sum(counted), INT64_MAX
            )
            assert len(marks) <= 18 * (one.slices + 1), "a mark a slice"
    assert turnover.total <= INT64_MAX


@contextlib.contextmanager
def at_most(name: str) -> Iterator[None]:
    """No more than `MOST` of them are remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen, name, MOST)
        yield


@given(st.lists(st.tuples(JUMPS, NAMES), max_size=40), NAMES, JUMPS)
@settings(max_examples=200, deadline=None)
def test_payees_are_the_newest_and_whoever_comes_again_is_new(
    acts: list[tuple[int, str]], asked: str, back: int
) -> None:
    payees = b""
    naive: list[tuple[str, int, int]] = []
    now = 0
    with at_most("MOST_PAYEES"):
        for step, name in acts:
            now += step
            payees = seen.paid(payees, payee_digest(name), now * MINUTE_MS + 59_999)
            first = next((one[1] for one in naive if one[0] == name), now)
            naive = ([one for one in naive if one[0] != name] + [(name, first, now)])[-MOST:]
    assert seen.paid_first(payees, payee_digest(asked)) == next(
        (one[1] for one in naive if one[0] == asked), -1
    )
    since = [one[0] for one in naive if one[2] >= now - back]
    assert seen.paid_from(payees, now - back, payee_digest(asked)) == (len(since), asked in since)


@given(st.lists(st.tuples(JUMPS, NAMES), max_size=40), NAMES)
@settings(deadline=None)
def test_so_are_devices(acts: list[tuple[int, str]], asked: str) -> None:
    devices = b""
    naive: list[tuple[str, int]] = []
    now = 0
    with at_most("MOST_DEVICES"):
        for step, name in acts:
            now += step
            devices = seen.used(devices, digest(name), now * MINUTE_MS)
            first = next((one[1] for one in naive if one[0] == name), now)
            naive = ([one for one in naive if one[0] != name] + [(name, first)])[-MOST:]
    assert seen.used_first(devices, digest(asked)) == next((one[1] for one in naive if one[0] == asked), -1)


@given(st.lists(st.tuples(JUMPS, NAMES, st.integers(1, 3)), max_size=40), NAMES, st.integers(1, 3), JUMPS)
@settings(max_examples=200, deadline=None)
def test_recent_are_the_newest_payments(
    acts: list[tuple[int, str, int]], payee: str, amount: int, back: int
) -> None:
    payments = b""
    naive: list[tuple[int, str, int]] = []
    now = 0
    with at_most("MOST_RECENT"):
        for step, name, size in acts:
            now += step
            payments = seen.noted(payments, digest(name), size, now * MINUTE_MS)
            naive = [*naive, (now, name, size)][-MOST:]
    since = [one for one in naive if one[0] >= now - back]
    assert seen.to_payee(payments, digest(payee), now - back) == sum(one[1] == payee for one in since)
    assert seen.of_amount(payments, amount, now - back) == sum(one[2] == amount for one in since)


def test_what_looks_like_a_payee_across_two_payments_is_none() -> None:
    """A digest is looked for at its own place only."""
    twos = (2).to_bytes(8, "big")
    payments = seen.noted(b"", b"\0" * 8, 2, 0)
    assert seen.to_payee(payments, b"\0" * 8, 0) == 1
    assert seen.to_payee(payments, twos, 0) == 0
    assert seen.of_amount(payments, 2, 0) == 1
    assert seen.of_amount(seen.noted(b"", twos, 1, 0), 2, 0) == 0
    assert seen.paid_first(seen.paid(b"", b"\0" * 7 + b"\1", 0), b"\0" * 8) == -1


@given(st.lists(st.tuples(JUMPS, NAMES, NAMES), max_size=40), NAMES, NAMES, st.integers(0, 100), JUMPS)
@settings(max_examples=200, deadline=None)
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
@settings(deadline=None)
def test_moments_are_exact_whatever_the_amounts(amounts: list[int]) -> None:
    moments = Moments()
    for one in amounts:
        moments.add(one)
    assert moments.sums() == (sum(amounts), sum(one * one for one in amounts))
    assert max(moments.total, moments.squares, moments.upper_total) <= INT64_MAX


@given(st.lists(st.binary(min_size=2, max_size=2)), st.binary(min_size=2, max_size=2))
@settings(deadline=None)
def test_only_what_stands_at_its_own_place_is_found(keys: list[bytes], wanted: bytes) -> None:
    assert seen.stands(b"".join(keys), wanted) == (wanted in keys)
    left = [one for one in dict.fromkeys(reversed(keys)) if one != wanted][: MOST - 1]
    lru = b""
    for one in keys:
        lru = seen.newest(lru, one, MOST)
    assert seen.newest(lru, wanted, MOST) == b"".join(reversed([wanted, *left]))


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

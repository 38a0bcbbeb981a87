"""What figures of quality are made of, against what can be counted by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.intervals import wilson
from bench.ranking import average_precision, best, cut, interval, learned, of_the_first

CASES = st.lists(st.tuples(st.sampled_from((0.0, 1.0, 2.0, 3.0)), st.booleans()), min_size=1, max_size=12)


@given(CASES)
def test_average_precision_is_the_area_step_by_step(cases: list[tuple[float, bool]]) -> None:
    guilty = sum(is_guilty for _, is_guilty in cases)
    area, before = 0.0, 0.0
    for threshold in sorted({score for score, _ in cases}, reverse=True):
        one = cut(cases, threshold)
        area += (one.recall - before) * one.precision
        before = one.recall
    assert average_precision(cases) == pytest.approx(area if guilty else 0.0)


@given(CASES, st.integers(0, 10))
def test_the_order_of_cases_says_nothing(cases: list[tuple[float, bool]], seed: int) -> None:
    mixed = random.Random(seed).sample(cases, len(cases))
    assert average_precision(mixed) == average_precision(cases)
    assert of_the_first(mixed, 3) == pytest.approx(of_the_first(cases, 3))
    assert best(mixed) == best(cases)


def test_a_perfect_score_a_useless_one_and_the_threshold_between() -> None:
    perfect = [(2.0, True)] * 3 + [(1.0, False)] * 7
    assert average_precision(perfect) == 1.0
    assert best(perfect) == 2.0
    assert of_the_first(perfect, 3) == 3
    useless = [(1.0, number < 3) for number in range(10)]
    assert average_precision(useless) == pytest.approx(0.3)
    assert of_the_first(useless, 5) == pytest.approx(1.5)
    low, high = interval(perfect * 20, 1, 100)
    assert low == high == 1.0
    low, high = interval(useless * 100, 1, 200)
    assert low < 0.3 < high < 0.35


def test_weights_are_log_odds_with_one_added() -> None:
    guilty = {f"g{n}": True for n in range(8)} | {f"h{n}": False for n in range(98)}
    weights = learned({"fan_in": {"g1", "g2", "g3", "g4", "h1"}}, guilty)
    assert weights.score(["fan_in"]) > 0 > weights.score([])
    assert weights.noticed["fan_in"] == pytest.approx(3.2189, abs=1e-4)  # ln of (5/10) / (2/100)


def test_wilsons_interval_is_the_published_one() -> None:
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)

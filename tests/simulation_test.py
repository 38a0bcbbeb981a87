"""Whatever happens to a site's processes, in whichever order: nothing is lost, doubled or made up."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.simulation.running import Run, run, run_beside


def told(broken: Run) -> str:
    history = broken.broken
    return "" if history is None else f"make simulate SEED={history.seed}: {history.problem}"


def test_some_histories_hold() -> None:
    found = Run(0, 0, Counter())
    for seed in range(8):
        found.add(run(seed))
    assert found.broken is None, told(found)
    assert found.histories == 8


def test_a_seed_is_a_history() -> None:
    first, again, other = run(5), run(5), run(6)
    assert first.trace == again.trace
    assert first.trace != other.trace


@pytest.mark.long
def test_histories_hold_for_a_minute_and_reach_every_fault() -> None:
    first = random.SystemRandom().randrange(10**9)
    found = run_beside(60.0, first, 2)
    assert found.broken is None, told(found)
    assert not found.never(), f"seeds from {first}: {found.reached}"

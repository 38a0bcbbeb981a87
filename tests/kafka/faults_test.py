"""Rounds of faults on real brokers, each audited; and what the rounds themselves promise."""

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.kafka.brokers import java_hash
from tests.kafka.fault_table import Step, rows, table
from tests.kafka.faults import ALONE, OF_THREE, TOGETHER
from tests.kafka.rounds import RATE, STEPS, run, schedule

ROUNDS = int(os.environ.get("ROUNDS", "3"))


@pytest.mark.long
@pytest.mark.timeout(1_500)
def test_nothing_is_lost_or_doubled_whatever_fails() -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    sys.stdout.write(f"SEED={seed}\n")
    folder = Path(tempfile.mkdtemp(prefix="dbf", dir="/tmp"))
    steps = run(schedule(seed, ROUNDS), folder)
    assert [step for step in steps if step.problems] == []
    assert sum(step.lost + step.doubled for step in steps) == 0
    assert len(steps) == ROUNDS * STEPS
    assert all(step.commands > RATE / 4 for step in steps), "there was load in every step"
    shutil.rmtree(folder)


def test_a_seed_gives_the_same_schedule_again_and_20_rounds_reach_every_fault() -> None:
    planned = schedule(7, 20)
    assert planned == schedule(7, 20)
    assert planned != schedule(8, 20)
    reached = {name for one in planned for names in one.steps for name in names}
    assert reached == ALONE.keys() | OF_THREE.keys()
    for one in planned:
        assert len(one.steps) == STEPS
        assert all(name in (OF_THREE if one.three else ALONE) for names in one.steps for name in names)
    assert {one.three for one in schedule(7, 3)} == {True, False}
    assert reached >= TOGETHER


def test_what_happened_at_once_counts_for_both_and_once_in_all() -> None:
    steps = [
        Step(1, ("a", "b"), commands=10, lost=1, pause_ms=900),
        Step(2, ("a",), commands=5, doubled=2, pause_ms=1_500),
    ]
    assert [
        (row["fault"], row["times"], row["commands"], row["lost"], row["doubled"]) for row in rows(steps)
    ] == [
        ("a", 2, 15, 1, 2),
        ("b", 1, 10, 1, 0),
        ("all", 2, 15, 1, 2),
    ]
    assert "| a | 2 | 15 | 1 | 2 | 1.5 |" in table(steps)


@pytest.mark.parametrize(
    ("text", "hash"), [("", 0), ("a", 97), ("hello", 99162322), ("polygenelubricants", 0)]
)
def test_a_coordinator_is_found_by_the_hash_that_java_makes(text: str, hash: int) -> None:
    """The last one is Integer.MIN_VALUE in Java, which Kafka makes 0."""
    assert java_hash(text) == hash

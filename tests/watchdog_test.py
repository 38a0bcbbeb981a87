"""The watchdog: who gets nowhere for too long ends the process; who was stopped together with it does not."""

import pytest

from engine.watchdog import Progress, Watchdog


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def dog(patience_s: float) -> tuple[Watchdog, Time, list[str]]:
    time, said = Time(), list[str]()
    return Watchdog(patience_s, said.append, time), time, said


def passes(watchdog: Watchdog, time: Time, seconds: float, *watched: Progress) -> None:
    """Look as often as the engine does."""
    end = time.now + seconds
    while time.now < end:
        time.now += 0.1
        watchdog.look(watched)


def test_who_makes_no_step_is_found_and_what_it_was_at_is_said() -> None:
    watchdog, time, said = dog(10)
    moves, hangs = Progress("Partition 1"), Progress("Partition 2")
    hangs.at("deciding")
    for _ in range(9):
        moves.at("deciding")
        passes(watchdog, time, 1, moves, hangs)
    assert not said
    moves.at("deciding")
    passes(watchdog, time, 2, moves, hangs)
    assert said
    assert said[0].startswith("Partition 2 has hung for 10 s at deciding")


def test_a_step_may_claim_more_time_for_itself() -> None:
    watchdog, time, said = dog(10)
    reads = Progress("Partition 1")
    reads.at("reading a snapshot", 60)
    passes(watchdog, time, 59, reads)
    assert not said
    passes(watchdog, time, 2, reads)
    assert said
    assert "reading a snapshot" in said[0]


def test_a_process_that_was_stopped_did_not_hang() -> None:
    watchdog, time, said = dog(10)
    works = Progress("Partition 1")
    passes(watchdog, time, 5, works)
    time.now += 3_600
    passes(watchdog, time, 3, works)
    assert not said


def test_what_is_not_ours_any_more_is_forgotten_and_begins_anew() -> None:
    watchdog, time, said = dog(10)
    gone = Progress("Partition 1")
    passes(watchdog, time, 9, gone)
    passes(watchdog, time, 1)
    passes(watchdog, time, 9, gone)
    assert not said


@pytest.mark.parametrize("known", [True, False])
def test_where_a_thread_hangs_is_named(known: bool) -> None:
    import threading

    watchdog, time, said = dog(1)
    hangs = Progress("Partition 1")
    hangs.thread = threading.get_ident() if known else None
    passes(watchdog, time, 2, hangs)
    assert ("watchdog.py" in said[0]) == known

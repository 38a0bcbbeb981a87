"""The detector: the same alerts and ids, however its events are cut, wherever it is stopped or fenced."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from detection.detector import NAME, Detector
from detection.table import TYPOLOGIES
from engine.derivation import Host, in_memory
from engine.errors import DaybookError, Fenced, Uncertain
from engine.log.faults import Crash, Faults
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST
from engine.places import place_at
from schemas.alerts import Alert, decode_alert
from schemas.catalogue import decode_event
from tests.busy_day import DAY_MS, Traffic, busy, stored
from tests.detection_words import alerts_of


def values(log: MemoryLog) -> list[bytes]:
    return [record.value for record in log.events(BEFORE_FIRST)]


def alerts_in(log: MemoryLog) -> list[Alert]:
    return [decode_alert(value) for value in values(log)]


def run_out(host: Host) -> None:
    while host.step():
        pass


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return stored(busy(1, 2_500), busy(2, 500, 20, "other"))


@pytest.fixture(scope="module")
def right(log: MemoryLog) -> list[Alert]:
    return alerts_of(log)


def test_every_typology_has_its_say(right: list[Alert]) -> None:
    said = Counter(alert.kind for alert in right)
    missing = set(TYPOLOGIES) - set(said)
    assert missing <= {"benford", "new_account_velocity", "collection_account"}, said
    assert len({alert.id for alert in right}) == len(right)


def test_what_is_evidence_is_there(right: list[Alert], log: MemoryLog) -> None:
    events = {(event.book, event.seq): event for event in map(decode_event, values(log))}
    for alert in right:
        assert alert.evidence, alert
        assert alert.at == events[alert.book, alert.evidence[-1].seq].at
        for seen in alert.evidence:
            assert alert.first_at <= events[seen.book, seen.seq].at <= alert.at or alert.kind in LATER, alert


LATER = {"benford", "layering", "collection_account", "new_account_velocity"}
"""What keeps only the newest of its events."""


@pytest.mark.parametrize("at_once", [1, 7, 100, 10_000])
def test_how_events_are_cut_changes_nothing(log: MemoryLog, right: list[Alert], at_once: int) -> None:
    assert alerts_of(log, at_once=at_once) == right


@pytest.mark.parametrize("kept", [False, True])
def test_crashes_lose_and_double_nothing(
    log: MemoryLog, right: list[Alert], tmp_path: Path, kept: bool
) -> None:
    """Killed before and after its commits, fenced, not answered; with snapshots and without them."""
    met: set[type] = set()
    began: list[int] = []
    for seed in range(4):
        chance = random.Random(seed)
        derived = MemoryLog(faults=Faults(seed=seed, commit_rate=0.3), control_records=seed % 2 == 0)
        place = place_at(tmp_path / f"{seed}") if kept else None
        zombies: list[Host] = []
        while True:
            reader = log.reader()
            detector = Detector(reader, place, snapshot_events=chance.randrange(1, 500), snapshot_s=0)
            host = Host(detector, reader, in_memory(derived), at_once=chance.randrange(20, 900))
            began.append(detector.began_at)
            try:
                while host.step():
                    if chance.random() < 0.05:
                        zombies.append(host)
                        raise Crash
                break
            except (Crash, DaybookError) as error:
                met.add(type(error))
                derived = derived.reopen()
        for zombie in zombies:
            try:
                run_out(zombie)
            except (Crash, DaybookError) as error:
                met.add(type(error))
        assert alerts_in(derived) == right, f"seed {seed}"
    assert {Crash, Uncertain} <= met
    assert any(one > BEFORE_FIRST for one in began) == kept


def test_a_zombie_is_fenced(log: MemoryLog, right: list[Alert]) -> None:
    derived, reader = MemoryLog(), log.reader()
    zombie = Host(Detector(reader), reader, in_memory(derived), at_once=500)
    zombie.step()
    behind = log.reader()
    later = derived.reopen()
    other = Host(Detector(behind), behind, in_memory(later), at_once=500)
    with pytest.raises(Fenced):
        run_out(zombie)
    run_out(other)
    assert alerts_in(later) == right


def test_a_snapshot_of_another_log_or_a_damaged_one_is_passed_over(
    log: MemoryLog, right: list[Alert], tmp_path: Path
) -> None:
    place = place_at(tmp_path)

    def run(of: MemoryLog) -> tuple[int, list[Alert]]:
        reader, derived = of.reader(), MemoryLog()
        detector = Detector(reader, place, snapshot_events=1, snapshot_s=0)
        host = Host(detector, reader, in_memory(derived), at_once=1_000)
        run_out(host)
        return detector.began_at, alerts_in(derived)

    assert run(log) == (BEFORE_FIRST, right)
    began, _ = run(log)
    assert began == log.last_event_offset(), "it goes on where the snapshot stands"
    files = sorted((tmp_path / NAME).rglob("*.detection"))
    assert len(files) == 2
    other = stored(busy(3, 500, 20))
    assert run(other)[0] == BEFORE_FIRST
    for file in sorted((tmp_path / NAME).rglob("*.detection")):
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert run(log) == (BEFORE_FIRST, right)


def test_the_state_of_who_is_idle_is_dropped() -> None:
    """Memory follows who is active, not who was ever seen."""
    traffic = Traffic(4, 200)
    traffic.run(1_500)
    before = len(traffic.events)
    gone = traffic.accounts[12:]
    traffic.accounts = traffic.accounts[:12]
    traffic.at += 800 * DAY_MS
    traffic.run(600)
    reader = stored(traffic, page=1).reader()
    events = list(reader.events(BEFORE_FIRST))
    detector = Detector(reader)
    detector.begin(BEFORE_FIRST)
    detector.derive(events[:before])
    idle = {*gone, *(f"p{account.rpartition('a')[2]}" for account in gone)}
    known = {name for name in TYPOLOGIES if idle & kept_of(detector, name)}
    assert {"pass_through", "fan_in", "spike", "layering", "circular_flow"} <= known
    detector.derive(events[before:])
    left = {name: sorted(idle & kept_of(detector, name))[:3] for name in TYPOLOGIES}
    assert {name: keys for name, keys in left.items() if keys} == {}


def kept_of(detector: Detector, name: str) -> set[str]:
    """Whom a typology keeps something of: an account, a party, or a party and more behind a line feed."""
    state = detector.books["main"].typologies[name].state
    return {key.partition("\n")[0] for part in (state.young, state.old) for key in part}


def test_who_counts_is_told_of_each_alert_once(log: MemoryLog, right: list[Alert]) -> None:
    """Also of one that takes over: what it derives again is not told again."""
    told: list[tuple[str, int]] = []
    derived, reader = MemoryLog(), log.reader()
    first = Host(Detector(reader, told=told.extend), reader, in_memory(derived), at_once=500)
    first.step()
    first.step()
    behind = log.reader()
    run_out(Host(Detector(behind, told=told.extend), behind, in_memory(derived.reopen()), at_once=500))
    appended = {(record.key, record.time_ms) for record in log.events(BEFORE_FIRST)}
    assert [kind for kind, _ in told] == [alert.kind for alert in right]
    assert {at_ms for _, at_ms in told} <= {time_ms for _, time_ms in appended}

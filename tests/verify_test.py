"""verify: it finds nothing in what the engine writes, and each thing that could be wrong, at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from book.digest import partition_digest
from book.state import Partition
from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST
from engine.worker import Worker
from replay.problems import Problem
from replay.verify import verify
from schemas.accounts import AccountOpened
from tests.histories import Bank, Recorded, busy_bank


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank()


def whats(log: Recorded | MemoryLog, **options: Any) -> list[str]:
    return [str(problem) for problem in verify(log, **options).problems]


def test_what_the_engine_writes_is_whole(bank: MemoryLog) -> None:
    result = verify(bank.reader())
    assert (result.ok, result.problems, result.problem_count) == (True, [], 0)
    folded = Folded()
    folded.apply(bank.events(BEFORE_FIRST))
    assert result.digest == partition_digest(folded.partition)
    assert result.events == len(list(bank.events(BEFORE_FIRST))) == result.unsigned_tail
    assert result.commands == bank.last_command_offset() + 1
    assert result.books["main"].seq == folded.partition.books["main"].seq
    assert result.books["main"].accounts == len(folded.partition.books["main"].accounts)


def test_a_log_with_gaps_in_its_offsets_is_whole() -> None:
    bank = Bank(2)
    log = MemoryLog(clock=bank.clock, control_records=True)
    bank.begin(log)
    bank.live(log, 100)
    assert whats(log.reader()) == []


def test_the_same_history_on_sqlite_has_the_same_digest(tmp_path: Path, bank: MemoryLog) -> None:
    twin = Bank(1)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", clock=twin.clock) as log:
        twin.begin(log)
        twin.live(log, 600)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", writer=False) as reader:
        result = verify(reader)
    assert (result.problems, result.digest) == ([], verify(bank.reader()).digest)


def test_a_log_in_use_is_verified_as_far_as_it_went_when_verify_began() -> None:
    bank = Bank(3)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    worker = bank.live(log, 50)
    grown: list[Worker] = []

    def grow(events: int) -> None:
        if not grown:
            grown.append(bank.live(log, 20, worker))

    assert verify(log.reader(), progress=grow).ok
    assert grown


def test_an_empty_log_is_not_whole() -> None:
    assert whats(MemoryLog()) == ["log: the log is empty"]


def test_commands_may_wait_where_the_log_says_so(bank: MemoryLog) -> None:
    log = Recorded(bank)
    last = log.event_records[-1]
    log.event_records = log.event_records[: log.find(lambda event: event.seq == 60)]
    # down to a page's end
    while not log.event_records[-1].headers:
        log.event_records.pop()
    assert log.event_records[-1].offset < last.offset
    assert any("no outcome is stored for commands" in what for what in whats(log))
    assert whats(log, commands_may_wait=True) == []


def test_a_further_check_sees_the_state_and_adds_its_problems(bank: MemoryLog) -> None:
    seen: list[tuple[int, int]] = []

    def extra(partition: Partition, offset: int) -> list[Problem]:
        seen.append((len(partition.books), offset))
        return [Problem("the read model differs", "main")]

    assert whats(bank.reader(), extra=extra) == ["book main: the read model differs"]
    assert seen == [(3, bank.last_event_offset())]


def test_problems_are_counted_and_the_first_of_them_shown(bank: MemoryLog) -> None:
    log = Recorded(bank)
    del log.event_records[log.find(lambda event: type(event) is AccountOpened and event.account == "a0")]
    result = verify(log, most_problems=3)
    assert len(result.problems) == 3
    assert result.problem_count > 3
    assert not result.ok

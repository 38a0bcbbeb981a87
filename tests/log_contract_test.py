"""What every log promises, asked of each: in memory, in SQLite, in PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from engine.errors import Busy, EngineStopped, Fenced, Uncertain
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import Out, Record

Log = MemoryLog | RecorderLog

T0 = 1_700_000_000_000


class Place:
    """Where a log is kept: opens its writers and readers, and lets a test lose the writer's lock."""

    def __init__(
        self, writer: Callable[..., Log], reader: Callable[[], Log], lose_lock: Callable[[], None]
    ) -> None:
        self._opened: list[Log] = []
        self._writer, self._reader, self._lose_lock = writer, reader, lose_lock
        self.now_ms = T0

    def writer(self, **options: float) -> Log:
        return self._keep(self._writer(clock=lambda: self.now_ms, **options))

    def reader(self) -> Log:
        return self._keep(self._reader())

    def reopened(self, log: Log) -> Log:
        log.close()
        return self.writer()

    def overtaken_by(self) -> Log:
        """A second writer, let in because the first one's lock was lost."""
        self._lose_lock()
        return self.writer()

    def _keep(self, log: Log) -> Log:
        self._opened.append(log)
        return log

    def close(self) -> None:
        for log in self._opened:
            log.close()


def memory() -> Place:
    logs: list[MemoryLog] = []

    def writer(**options: float) -> MemoryLog:
        logs.append(logs[-1].reopen() if logs else MemoryLog(**options))  # type: ignore[arg-type]
        return logs[-1]

    def reader() -> MemoryLog:
        return logs[-1].reader()

    return Place(writer, reader, lambda: None)


def sqlite(path: Path) -> Place:
    return Place(
        lambda **options: RecorderLog.sqlite(path, **options),
        lambda: RecorderLog.sqlite(path, writer=False),
        # What an operator might do who finds a lock file in the way.
        path.with_name(path.name + ".lock").unlink,
    )


def postgres(dsn: str) -> Place:
    def lose_lock() -> None:
        with psycopg.connect(dsn) as session:
            session.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")

    return Place(
        lambda **options: RecorderLog.postgres(dsn, **options),
        lambda: RecorderLog.postgres(dsn, writer=False),
        lose_lock,
    )


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    match request.param:
        case "memory":
            place = memory()
        case "sqlite":
            place = sqlite(tmp_path / "book.log")
        case _:
            place = postgres(request.getfixturevalue("postgres_dsn"))
    yield place
    place.close()


@pytest.fixture
def log(place: Place) -> Log:
    return place.writer()


def outs(*values: str) -> list[Out]:
    return [Out(b"book", value.encode()) for value in values]


def values(records: object) -> list[str]:
    assert not isinstance(records, str)
    return [record.value.decode() for record in records]  # type: ignore[attr-defined]


def offsets(records: object) -> list[int]:
    return [record.offset for record in records]  # type: ignore[attr-defined]


def page(log: Log, *names: str, time_ms: int = T0) -> None:
    """One commit: a command `c-<name>` and its event `e-<name>` for each name."""
    after = log.submit(outs(*(f"c-{name}" for name in names)))
    log.commit(outs(*(f"e-{name}" for name in names)), after[-1], time_ms)


# --- order, offsets, time -------------------------------------------------------------------------


def test_commands_come_in_the_order_of_submission_with_offsets_from_0(log: Log) -> None:
    assert log.submit(outs("a", "b")) == range(2)
    assert log.submit(outs("c")) == range(2, 3)
    waiting = log.commands(-1, 10, 0)
    assert values(waiting) == ["a", "b", "c"]
    assert offsets(waiting) == [0, 1, 2]


def test_events_come_in_the_order_of_the_commits_with_offsets_from_0(log: Log) -> None:
    page(log, "a", "b")
    page(log, "c")
    assert values(log.events(-1)) == ["e-a", "e-b", "e-c"]
    assert offsets(log.events(-1)) == [0, 1, 2]
    assert values(log.events(1)) == ["e-c"]
    assert values(log.events(0)) == ["e-b", "e-c"]
    assert values(log.events(2)) == []
    assert values(log.events(99)) == []


def test_a_command_has_the_time_of_its_submission_and_an_event_that_of_its_commit(
    place: Place, log: Log
) -> None:
    log.submit(outs("a"))
    place.now_ms += 5
    log.submit(outs("b"))
    log.commit(outs("e"), 1, T0 + 9)
    assert [record.time_ms for record in log.commands(-1, 10, 0)] == [T0, T0 + 5]
    assert [record.time_ms for record in log.events(-1)] == [T0 + 9]


def test_stored_commands_come_before_waiting_ones(log: Log) -> None:
    page(log, "a", "b")
    log.submit(outs("c"))
    found: list[Record] = []
    while len(found) < 3:
        found += log.commands(found[-1].offset if found else -1, 2, 0)
    assert values(found) == ["c-a", "c-b", "c"]


def test_asking_again_gives_the_same_commands_until_they_are_committed(log: Log) -> None:
    log.submit(outs("a", "b", "c"))
    assert values(log.commands(-1, 2, 0)) == ["a", "b"]
    assert values(log.commands(-1, 2, 0)) == ["a", "b"]
    assert values(log.commands(1, 2, 0)) == ["c"]
    log.commit([], 0, T0)
    assert values(log.commands(0, 9, 0)) == ["b", "c"]


# --- waiting --------------------------------------------------------------------------------------


def test_waiting_ends_with_the_first_command_not_with_the_time(log: Log) -> None:
    threading.Timer(0.05, lambda: log.submit(outs("a"))).start()
    began = time.monotonic()
    assert values(log.commands(-1, 100, 10.0)) == ["a"]
    assert time.monotonic() - began < 2


def test_waiting_ends_with_the_time(log: Log) -> None:
    began = time.monotonic()
    assert log.commands(-1, 100, 0.05) == []
    assert 0.04 < time.monotonic() - began < 2


def test_wake_ends_the_waiting_also_when_it_comes_first(log: Log) -> None:
    threading.Timer(0.05, log.wake).start()
    began = time.monotonic()
    assert log.commands(-1, 100, 10.0) == []
    log.wake()
    assert log.commands(-1, 100, 10.0) == []
    assert time.monotonic() - began < 2


# --- all or nothing -------------------------------------------------------------------------------


def test_a_commit_takes_the_commands_it_names_and_no_more(place: Place, log: Log) -> None:
    log.submit(outs("a", "b", "c"))
    log.commit(outs("e"), 1, T0)
    log = place.reopened(log)
    assert values(log.commands(-1, 10, 0)) == ["a", "b"]
    assert values(log.events(-1)) == ["e"]
    assert (log.last_command_offset(), log.last_event_offset(), log.page_count()) == (1, 0, 1)


def test_commands_that_were_never_committed_are_gone_after_reopening(place: Place, log: Log) -> None:
    page(log, "a")
    log.submit(outs("lost"))
    log = place.reopened(log)
    assert log.commands(0, 10, 0) == []
    assert log.submit(outs("b")) == range(1, 2)


def test_writing_goes_on_after_reopening(place: Place, log: Log) -> None:
    for round_ in "abc":
        page(log, round_, round_.upper())
        log = place.reopened(log)
    assert values(log.events(-1)) == ["e-a", "e-A", "e-b", "e-B", "e-c", "e-C"]
    assert offsets(log.events(-1)) == list(range(6))
    assert offsets(log.commands(-1, 99, 0)) == list(range(6))


def test_a_commit_may_have_no_commands_and_may_have_no_events(place: Place, log: Log) -> None:
    log.commit(outs("timer-1"), -1, T0)
    log.submit(outs("a"))
    log.commit([], 0, T0)
    log.commit(outs("timer-2"), 0, T0)
    log.commit([], 0, T0)
    log = place.reopened(log)
    log.commit(outs("timer-3"), 0, T0)
    assert values(log.events(-1)) == ["timer-1", "timer-2", "timer-3"]
    assert values(log.commands(-1, 10, 0)) == ["a"]
    assert log.page_count() == 4, "a commit of nothing stores nothing"


def test_the_position_never_moves_back(log: Log) -> None:
    page(log, "a", "b")
    with pytest.raises(AssertionError, match="never moves back"):
        log.commit(outs("e"), 0, T0)


def test_a_command_that_was_never_submitted_cannot_be_committed(log: Log) -> None:
    with pytest.raises(AssertionError, match="never submitted"):
        log.commit(outs("e"), 0, T0)


# --- one writer, many readers ---------------------------------------------------------------------


def test_a_reader_sees_each_page_whole_or_not_at_all(place: Place, log: Log) -> None:
    reader, size, pages = place.reader(), 50, 40

    def write() -> None:
        for number in range(pages):
            page(log, *(f"{number}" for _ in range(size)))

    writing = threading.Thread(target=write)
    writing.start()
    seen: list[Record] = []
    while len(seen) < size * pages:
        new = list(reader.events(seen[-1].offset if seen else -1))
        assert len(new) % size == 0
        seen += new
    writing.join()
    assert values(seen) == [f"e-{number}" for number in range(pages) for _ in range(size)]
    assert values(reader.commands(-1, 1, 0)) == ["c-0"]


def test_a_follower_is_told_of_new_events(place: Place, log: Log) -> None:
    follower = place.reader()
    assert not follower.wait_events(-1, 0.02)
    threading.Timer(0.05, lambda: page(log, "a")).start()
    assert follower.wait_events(-1, 10.0)
    assert values(follower.events(-1)) == ["e-a"]


def test_a_reader_never_writes(place: Place, log: Log) -> None:
    page(log, "a")
    reader = place.reader()
    with pytest.raises(AssertionError, match="reader"):
        reader.submit(outs("b"))
    with pytest.raises(AssertionError, match="reader"):
        reader.commit(outs("e"), 0, T0)


def test_a_writer_that_was_overtaken_is_fenced_and_stores_nothing(place: Place, log: Log) -> None:
    page(log, "a")
    log.submit(outs("late"))
    second = place.overtaken_by()
    page(second, "b")
    with pytest.raises(Fenced):
        log.commit(outs("e-late"), 1, T0)
    page(second, "c")
    assert values(second.events(-1)) == ["e-a", "e-b", "e-c"]


def test_a_fenced_log_refuses_everything_after(place: Place, log: Log) -> None:
    page(log, "a")
    log.submit(outs("late"))
    page(place.overtaken_by(), "a")
    for _ in range(2):
        with pytest.raises(Fenced):
            log.commit(outs("e-late"), 1, T0)
    with pytest.raises(EngineStopped):
        log.submit(outs("later"))


def test_two_writers_of_the_same_content_are_still_two(place: Place, log: Log) -> None:
    log.submit(outs("same"))
    page_of_the_other = place.overtaken_by()
    page_of_the_other.submit(outs("same"))
    page_of_the_other.commit(outs("e"), 0, T0)
    with pytest.raises(Fenced):
        log.commit(outs("e"), 0, T0)


# --- what goes in comes out -----------------------------------------------------------------------


AWKWARD = [
    Out(b"", b""),
    Out("Zürich-账".encode(), '{"name": "Ωμέγα 🏦"}'.encode()),
    Out(bytes(range(256)), bytes(reversed(range(256)))),
    Out(b"big", bytes(range(256)) * 4096),
    Out(b"headers", b"1", (("key", b"k1"), ("mac", b"\x00" * 16))),
    Out(b"headers", b"2", (("mac", b""), ("mac", b"\xff"), ("ключ", b"twice"))),
]


@pytest.mark.parametrize("page_of", [AWKWARD, AWKWARD[4:5] * 3, AWKWARD[3:4], AWKWARD[:1]])
def test_keys_values_and_headers_come_back_as_they_were(place: Place, log: Log, page_of: list[Out]) -> None:
    log.submit(page_of)
    log.commit(page_of, len(page_of) - 1, T0)
    log = place.reopened(log)
    for found in (list(log.events(-1)), list(log.commands(-1, 99, 0))):
        assert [Out(record.key, record.value, record.headers) for record in found] == page_of


def test_reading_may_begin_anywhere(log: Log) -> None:
    names = [f"{number}" for number in range(60)]
    sizes, rest = [1, 7, 2, 30, 1, 1, 18], names
    for size in sizes:
        page(log, *rest[:size])
        log.commit([], log.last_command_offset(), T0)
        rest = rest[size:]
    for after in (*range(-1, 60), *range(59, -2, -1), 30, 5, 31, 6):
        assert offsets(log.events(after)) == list(range(after + 1, 60))
        assert offsets(log.commands(after, 10, 0)) == list(range(after + 1, min(60, after + 11)))


# --- submitting -----------------------------------------------------------------------------------


def test_many_threads_may_submit_while_the_worker_commits(place: Place, log: Log) -> None:
    threads, each = 8, 50

    def submit(name: int) -> None:
        for number in range(each):
            assert len(log.submit(outs(f"{name}:{number}", f"{name}:{number}'"))) == 2

    submitting = [threading.Thread(target=submit, args=(name,)) for name in range(threads)]
    for thread in submitting:
        thread.start()
    position = -1
    stored: list[Record] = []
    while len(stored) < threads * each * 2:
        found = log.commands(position, 64, 1.0)
        log.commit([Out(record.key, record.value) for record in found], found[-1].offset, T0)
        position = found[-1].offset
        stored += found
    for thread in submitting:
        thread.join()
    assert offsets(stored) == list(range(threads * each * 2))
    assert values(log.events(-1)) == values(stored)
    for first, second in zip(stored[::2], stored[1::2], strict=True):
        assert second.value == first.value + b"'", "what is submitted together stays together"
    for name in range(threads):
        mine = [value for value in values(stored)[::2] if value.startswith(f"{name}:")]
        assert mine == [f"{name}:{number}" for number in range(each)]


def test_a_full_queue_is_busy_and_takes_none(place: Place) -> None:
    log = place.writer(queue_limit=3, submit_timeout_s=0.02)
    log.submit(outs("a", "b"))
    with pytest.raises(Busy):
        log.submit(outs("c", "d"))
    assert values(log.commands(-1, 10, 0)) == ["a", "b"]


def test_a_full_queue_takes_the_next_when_there_is_room(place: Place) -> None:
    log = place.writer(queue_limit=2, submit_timeout_s=10.0)
    log.submit(outs("a", "b"))
    threading.Timer(0.05, lambda: log.commit([], 1, T0)).start()
    assert log.submit(outs("c")) == range(2, 3)


def test_a_batch_above_the_limit_goes_into_an_empty_queue(place: Place) -> None:
    log = place.writer(queue_limit=2, submit_timeout_s=0.02)
    assert log.submit(outs("a", "b", "c")) == range(3)
    with pytest.raises(Busy):
        log.submit(outs("d"))


def test_closing_refuses_those_who_wait_for_room(place: Place) -> None:
    log = place.writer(queue_limit=1, submit_timeout_s=10.0)
    log.submit(outs("a"))
    threading.Timer(0.05, log.close).start()
    with pytest.raises(EngineStopped):
        log.submit(outs("b"))
    with pytest.raises((EngineStopped, Uncertain)):
        log.commit(outs("e"), 0, T0)


def test_what_waits_is_given_out_by_bytes_too() -> None:
    log = MemoryLog()
    large = Out(b"main", bytes(30 << 20))
    log.submit([large] * 5)
    assert [record.offset for record in log.commands(-1, 8_000, 0.0)] == [0, 1]
    log.commit([], 1, 0)
    assert [record.offset for record in log.commands(1, 8_000, 0.0)] == [2, 3]
    full = MemoryLog(submit_timeout_s=0.0)
    full.submit([large] * 8)
    with pytest.raises(Busy):
        full.submit([large])

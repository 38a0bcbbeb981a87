"""What every log promises, asked of each: in memory, in SQLite, in PostgreSQL, in Kafka.

Where a log promises something else, its place says so by name (`Promises`), and the test asks for that.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest

from engine.errors import Busy, EngineStopped, Fenced, LogCorrupt, Uncertain
from engine.log.kafka import KafkaLog
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import Out, Record, wall_clock
from engine.log.topics import Kafka
from tests.kafka_servers import made

Log = MemoryLog | RecorderLog | KafkaLog

T0 = 1_700_000_000_000


class Promises(msgspec.Struct, frozen=True):
    """What logs differ in.

    stores_commands_with_outcomes: a command is durable with its outcome, so one that waits is gone after
        reopening, and the position is stored with it; else it is durable when submitted, the position is in
        the events, and it waits for the next writer.
    counts_from_0: offsets of events have no gaps.   submits_whole: what is submitted together stays together.
    reads_past_the_end: after an offset that is not there is nothing; else that is a damaged log.
    own_clock: a command's time is that of the writer's clock; else of the server's.
    counts_pages: it knows how many commits there were.
    """

    stores_commands_with_outcomes: bool = True
    counts_from_0: bool = True
    submits_whole: bool = True
    reads_past_the_end: bool = True
    own_clock: bool = True
    counts_pages: bool = True


EMBEDDED = Promises()
KAFKA = Promises(
    stores_commands_with_outcomes=False,
    counts_from_0=False,
    submits_whole=False,
    reads_past_the_end=False,
    own_clock=False,
    counts_pages=False,
)


class Place:
    """Where a log is kept: opens its writers and readers, and lets a test lose the writer's lock."""

    def __init__(
        self,
        writer: Callable[..., Log],
        reader: Callable[[], Log],
        lose_lock: Callable[[], None],
        promises: Promises = EMBEDDED,
    ) -> None:
        self.promises = promises
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


def kafka(bootstrap: str) -> Place:
    quick = {"fetch.wait.max.ms": "10"}  # how long the broker holds an answer that says "no more"
    there = made(bootstrap, 1)
    there = Kafka(there.bootstrap, there.prefix, quick)
    return Place(
        lambda clock: KafkaLog(there, writer=True),
        lambda: KafkaLog(there),
        lambda: None,  # whoever claims the partition has it
        KAFKA,
    )


@pytest.fixture(params=["memory", "sqlite", "postgres", "kafka"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from a_place(request, tmp_path)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def with_queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place whose commands wait in a bounded queue of the writer; Kafka stores them at once."""
    yield from a_place(request, tmp_path)


def a_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    match request.param:
        case "memory":
            place = memory()
        case "sqlite":
            place = sqlite(tmp_path / "book.log")
        case "kafka":
            place = kafka(request.getfixturevalue("kafka_bootstrap"))
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


def placed(place: Place, records: list[Record], first: int, count: int) -> None:
    """The events' offsets count on from `first`, or at least rise."""
    found = offsets(records)
    assert len(found) == count
    if place.promises.counts_from_0:
        assert found == list(range(first, first + count))
    else:
        assert all(before < after for before, after in itertools.pairwise(found))
        assert count == 0 or found[0] >= first


def pages_are(place: Place, log: Log, count: int) -> None:
    if place.promises.counts_pages:
        assert not isinstance(log, KafkaLog)
        assert log.page_count() == count


def page(log: Log, *names: str, time_ms: int = T0) -> None:
    """One commit: a command `c-<name>` and its event `e-<name>` for each name."""
    after = log.submit(outs(*(f"c-{name}" for name in names)))
    log.commit(outs(*(f"e-{name}" for name in names)), after[-1], time_ms)


# --- order, offsets, time -------------------------------------------------------------------------


def test_commands_come_in_the_order_of_submission_with_offsets_from_0(log: Log) -> None:
    assert list(log.submit(outs("a", "b"))) == [0, 1]
    assert list(log.submit(outs("c"))) == [2]
    waiting = log.commands(-1, 10, 0)
    assert values(waiting) == ["a", "b", "c"]
    assert offsets(waiting) == [0, 1, 2]


def test_events_come_in_the_order_of_the_commits_with_offsets_from_0(place: Place, log: Log) -> None:
    page(log, "a", "b")
    page(log, "c")
    found = list(log.events(-1))
    assert values(found) == ["e-a", "e-b", "e-c"]
    placed(place, found, 0, 3)
    a, b, c = offsets(found)
    assert values(log.events(b)) == ["e-c"]
    assert values(log.events(a)) == ["e-b", "e-c"]
    assert values(log.events(c)) == []


def test_nothing_is_behind_an_offset_that_is_not_there(place: Place, log: Log) -> None:
    page(log, "a")
    if place.promises.reads_past_the_end:
        assert values(log.events(99)) == []
    else:
        with pytest.raises(LogCorrupt, match="offset 100 was there before"):
            list(log.events(99))


def test_a_command_has_the_time_of_its_submission_and_an_event_that_of_its_commit(
    place: Place, log: Log
) -> None:
    began = wall_clock()
    log.submit(outs("a"))
    place.now_ms += 5
    log.submit(outs("b"))
    log.commit(outs("e"), 1, T0 + 9)
    taken = [record.time_ms for record in log.commands(-1, 10, 0)]
    if place.promises.own_clock:
        assert taken == [T0, T0 + 5]
    else:
        assert began <= taken[0] <= taken[1] <= wall_clock()
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
    gone = place.promises.stores_commands_with_outcomes
    assert values(log.commands(-1, 10, 0)) == (["a", "b"] if gone else ["a", "b", "c"])
    assert values(log.events(-1)) == ["e"]
    assert (log.last_command_offset(), log.last_event_offset()) == (1 if gone else 2, 0)
    pages_are(place, log, 1)


def test_commands_that_wait_are_gone_after_reopening_or_wait_on(place: Place, log: Log) -> None:
    page(log, "a")
    log.submit(outs("waits"))
    log = place.reopened(log)
    if place.promises.stores_commands_with_outcomes:
        assert log.commands(0, 10, 0) == []
        assert list(log.submit(outs("b"))) == [1]
    else:
        assert values(log.commands(0, 10, 0)) == ["waits"]
        assert list(log.submit(outs("b"))) == [2]


def test_writing_goes_on_after_reopening(place: Place, log: Log) -> None:
    for round_ in "abc":
        page(log, round_, round_.upper())
        log = place.reopened(log)
    assert values(log.events(-1)) == ["e-a", "e-A", "e-b", "e-B", "e-c", "e-C"]
    placed(place, list(log.events(-1)), 0, 6)
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
    pages_are(place, log, 4)  # a commit of nothing stores nothing


def test_the_position_never_moves_back(log: Log) -> None:
    page(log, "a", "b")
    with pytest.raises(AssertionError, match="never moves back"):
        log.commit(outs("e"), 0, T0)


def test_a_command_that_was_never_submitted_cannot_be_committed(with_queue: Place) -> None:
    log = with_queue.writer()
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


def test_reading_may_begin_anywhere(place: Place, log: Log) -> None:
    names = [f"{number}" for number in range(60)]
    sizes, rest = [1, 7, 2, 30, 1, 1, 18], names
    for size in sizes:
        page(log, *rest[:size])
        log.commit([], log.last_command_offset(), T0)
        rest = rest[size:]
    at = [-1, *offsets(log.events(-1))]
    placed(place, list(log.events(-1)), 0, 60)
    for after in (*range(-1, 60), *range(59, -2, -1), 30, 5, 31, 6):
        assert offsets(log.events(at[after + 1])) == at[after + 2 :]
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
    if place.promises.submits_whole:
        for first, second in zip(stored[::2], stored[1::2], strict=True):
            assert second.value == first.value + b"'", "what is submitted together stays together"
    for name in range(threads):
        mine = [value for value in values(stored) if value.startswith(f"{name}:")]
        assert mine == [f"{name}:{number}{second}" for number in range(each) for second in ("", "'")]


def test_a_full_queue_is_busy_and_takes_none(with_queue: Place) -> None:
    log = with_queue.writer(queue_limit=3, submit_timeout_s=0.02)
    log.submit(outs("a", "b"))
    with pytest.raises(Busy):
        log.submit(outs("c", "d"))
    assert values(log.commands(-1, 10, 0)) == ["a", "b"]


def test_a_full_queue_takes_the_next_when_there_is_room(with_queue: Place) -> None:
    log = with_queue.writer(queue_limit=2, submit_timeout_s=10.0)
    log.submit(outs("a", "b"))
    threading.Timer(0.05, lambda: log.commit([], 1, T0)).start()
    assert list(log.submit(outs("c"))) == [2]


def test_a_batch_above_the_limit_goes_into_an_empty_queue(with_queue: Place) -> None:
    log = with_queue.writer(queue_limit=2, submit_timeout_s=0.02)
    assert list(log.submit(outs("a", "b", "c"))) == [0, 1, 2]
    with pytest.raises(Busy):
        log.submit(outs("d"))


def test_closing_refuses_those_who_wait_for_room(with_queue: Place) -> None:
    log = with_queue.writer(queue_limit=1, submit_timeout_s=10.0)
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

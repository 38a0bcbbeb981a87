"""Commits that go wrong in between: what the recorders make of it, and what the memory log does on order."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent

from engine.errors import EngineStopped, Fenced, LogLocked, LogUnavailable, NotInitialised, Uncertain
from engine.log.faults import Crash, Fault, Faults
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import Out

Insert = Callable[[Sequence[StoredEvent]], object]


def submit(log: MemoryLog | RecorderLog, *names: bytes) -> int:
    return log.submit([Out(b"book", name) for name in names])[-1]


def values(log: MemoryLog | RecorderLog) -> list[bytes]:
    return [record.value for record in log.events(-1)]


def commands(log: MemoryLog | RecorderLog, after: int = -1) -> list[bytes]:
    return [record.value for record in log.commands(after, 99, 0)]


# --- the recorders --------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], RecorderLog]:
    if request.param == "sqlite":
        return lambda: RecorderLog.sqlite(tmp_path / "book.log")
    dsn = request.getfixturevalue("postgres_dsn")
    return lambda: RecorderLog.postgres(dsn)


@pytest.fixture
def log(opening: Callable[[], RecorderLog]) -> Iterator[RecorderLog]:
    with opening() as log:
        yield log


def meet(log: RecorderLog, monkeypatch: pytest.MonkeyPatch, what: Callable[[Insert], Insert]) -> None:
    """The next inserts go through `what(the real insert)`."""
    recorder = log._shelf.recorder
    monkeypatch.setattr(recorder, "insert_events", what(recorder.insert_events))


def acknowledgement_lost(insert: Insert) -> Insert:
    def lost(rows: Sequence[StoredEvent]) -> None:
        insert(rows)
        raise OperationalError("server closed the connection unexpectedly")

    return lost


def repeated_by_the_library(insert: Insert) -> Insert:
    def repeated(rows: Sequence[StoredEvent]) -> None:
        insert(rows)
        insert(rows)

    return repeated


def never_arrived(_: Insert) -> Insert:
    def lost(rows: Sequence[StoredEvent]) -> None:
        raise OperationalError("could not send data to server")

    return lost


@pytest.mark.parametrize("what", [acknowledgement_lost, repeated_by_the_library])
def test_a_page_that_is_stored_and_ours_is_committed(
    log: RecorderLog, monkeypatch: pytest.MonkeyPatch, what: Callable[[Insert], Insert]
) -> None:
    with monkeypatch.context() as patch:
        meet(log, patch, what)
        log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)
    log.commit([Out(b"book", b"e-b")], submit(log, b"b"), 1)
    assert values(log) == [b"e-a", b"e-b"]
    assert commands(log) == [b"a", b"b"]


def test_a_page_that_never_arrived_is_uncertain_and_the_log_is_over(
    log: RecorderLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        meet(log, patch, never_arrived)
        with pytest.raises(Uncertain):
            log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)
    with pytest.raises(Uncertain):
        log.commit([Out(b"book", b"e-a")], 0, 1)
    with pytest.raises(EngineStopped):
        submit(log, b"b")
    assert values(log) == []


def test_a_page_that_cannot_be_looked_up_is_uncertain(
    log: RecorderLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        meet(log, patch, acknowledgement_lost)
        patch.setattr(log._shelf.recorder, "select_events", gone)
        with pytest.raises(Uncertain):
            log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)
    assert values(log) == [b"e-a"]


def test_a_refused_page_number_is_another_writer_s(log: RecorderLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Insert) -> Insert:
        def refused(rows: Sequence[StoredEvent]) -> None:
            raise IntegrityError("duplicate key")

        return refused

    with monkeypatch.context() as patch:
        meet(log, patch, refuse)
        with pytest.raises(Fenced):
            log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)


def test_an_interrupted_commit_is_uncertain(log: RecorderLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(insert: Insert) -> Insert:
        def interrupted(rows: Sequence[StoredEvent]) -> None:
            insert(rows)
            raise KeyboardInterrupt

        return interrupted

    with monkeypatch.context() as patch:
        meet(log, patch, interrupt)
        with pytest.raises(KeyboardInterrupt):
            log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)
    with pytest.raises(Uncertain):
        log.commit([Out(b"book", b"e-a")], 0, 1)


# --- PostgreSQL -----------------------------------------------------------------------------------


def test_a_second_engine_is_told_at_once(postgres_dsn: str) -> None:
    with RecorderLog.postgres(postgres_dsn) as log:
        with pytest.raises(LogLocked, match="daybook") as refused:
            RecorderLog.postgres(postgres_dsn)
        assert refused.value.pid is not None
        with RecorderLog.postgres(postgres_dsn, partition=1) as other:
            other.commit([Out(b"book", b"e-1")], submit(other, b"1"), 1)
        assert values(log) == []
    RecorderLog.postgres(postgres_dsn).close()


def test_a_server_that_ends_our_sessions_in_mid_work_is_recovered_from(postgres_dsn: str) -> None:
    with RecorderLog.postgres(postgres_dsn) as log:
        log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)
        with psycopg.connect(postgres_dsn) as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(Uncertain):
            log.commit([Out(b"book", b"e-b")], submit(log, b"b"), 1)
    with RecorderLog.postgres(postgres_dsn) as log:
        assert values(log) == [b"e-a"]
        log.commit([Out(b"book", b"e-b")], submit(log, b"b"), 1)


def test_commits_are_synced_also_where_the_database_says_otherwise(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn, autocommit=True) as session:
        name = session.info.dbname
        session.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    with RecorderLog.postgres(postgres_dsn) as log:
        with log._shelf._datastore.get_connection() as connection:  # type: ignore[attr-defined]
            assert connection.execute("SHOW synchronous_commit").fetchone() == {"synchronous_commit": "on"}
        log.commit([Out(b"book", b"e-a")], submit(log, b"a"), 1)


def test_a_database_without_a_log_is_said(postgres_dsn: str) -> None:
    with pytest.raises(NotInitialised):
        RecorderLog.postgres(postgres_dsn, writer=False)


@pytest.mark.parametrize(
    "dsn", ["host=/nowhere password=secret dbname=x", "postgres://u:secret@[x", "secret"]
)
def test_a_server_that_is_not_there_is_said_without_the_password(dsn: str) -> None:
    with pytest.raises(LogUnavailable) as error:
        RecorderLog.postgres(dsn)
    assert "secret" not in str(error.value)


# --- the memory log's faults ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "raised", "stored"),
    [
        (Fault.CRASH_BEFORE, Crash, False),
        (Fault.CRASH_AFTER, Crash, True),
        (Fault.LOST_ACK, Uncertain, True),
        (Fault.NOT_STORED, Uncertain, False),
        (Fault.FENCED, Fenced, False),
    ],
)
@pytest.mark.parametrize("keep_pending", [True, False])
def test_a_fault_stores_what_it_says(
    fault: Fault, raised: type[BaseException], stored: bool, keep_pending: bool
) -> None:
    log = MemoryLog(faults=Faults({1: fault}))
    log.commit([Out(b"book", b"e-0")], submit(log, b"0"), 1)
    submit(log, b"1", b"2")
    with pytest.raises(raised):
        log.commit([Out(b"book", b"e-1")], 1, 1)
    with pytest.raises((Uncertain, Fenced, EngineStopped)):
        log.commit([Out(b"book", b"e-1")], 1, 1)
    log = log.reopen(keep_pending=keep_pending)
    assert values(log) == ([b"e-0", b"e-1"] if stored else [b"e-0"])
    pending = [b"2"] if stored else [b"1", b"2"]
    last = log.last_command_offset()
    assert last == (1 if stored else 0)
    assert commands(log, last) == (pending if keep_pending else [])
    log.commit([Out(b"book", b"e-3")], submit(log, b"3"), 1)
    assert values(log)[-1] == b"e-3"


def test_the_next_commit_can_be_told_to_fail() -> None:
    log = MemoryLog()
    log.faults.next_commit(Fault.NOT_STORED)
    with pytest.raises(Uncertain):
        log.commit([Out(b"book", b"e")], -1, 1)


def test_a_command_can_be_delivered_twice() -> None:
    log = MemoryLog(faults=Faults(at_submit={1}))
    assert log.submit([Out(b"book", b"a")]) == range(1)
    assert log.submit([Out(b"book", b"b"), Out(b"book", b"c")]) == range(1, 3)
    assert log.submit([Out(b"book", b"d")]) == range(5, 6)
    assert commands(log) == [b"a", b"b", b"c", b"b", b"c", b"d"]
    assert [record.offset for record in log.commands(-1, 99, 0)] == list(range(6))


def test_the_same_seed_gives_the_same_faults_over_reopening() -> None:
    def story(seed: int) -> list[str]:
        log, told = MemoryLog(faults=Faults(seed=seed, commit_rate=0.3, submit_rate=0.3)), []
        for number in range(100):
            try:
                through = submit(log, b"%d" % number)
                log.commit([Out(b"book", b"e-%d" % number)], through, 1)
            except (Crash, Uncertain, Fenced) as error:
                told.append(f"{number} {type(error).__name__} {len(values(log))}")
                log = log.reopen()
        return told

    assert story(1) == story(1) != story(2)
    assert 10 < len(story(1)) < 60


def test_control_records_leave_gaps_between_the_events_of_pages() -> None:
    log = MemoryLog(control_records=True)
    log.commit([Out(b"book", b"a"), Out(b"book", b"b")], -1, 1)
    log.commit([Out(b"book", b"c")], -1, 1)
    assert [record.offset for record in log.events(-1)] == [0, 1, 3]
    assert [record.offset for record in log.events(1)] == [3]
    assert [record.offset for record in log.events(2)] == [3]

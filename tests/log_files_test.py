"""What befalls a log file: kill -9, a second engine, a full disk, damage, files that are something else."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.errors import (
    DaybookError,
    LogCorrupt,
    LogLocked,
    LogUnavailable,
    LogUnwritable,
    NotInitialised,
    WrongLog,
)
from engine.log.recorder import RecorderLog
from engine.log.records import Out

HERE = Path(__file__).parent.parent

WRITE = """
import random, sys
from engine.log.recorder import RecorderLog
from engine.log.records import Out

log = RecorderLog.sqlite(sys.argv[1])
chance, offset = random.Random(sys.argv[2]), log.last_command_offset()
print("open", flush=True)
while True:
    size = chance.choice((1, 3, 40, 400))
    values = [b"%d" % (offset + 1 + i) + b"." * chance.randrange(900) for i in range(size)]
    assert log.submit([Out(b"book", value) for value in values]) == range(offset + 1, offset + 1 + size)
    offset += size
    log.commit([Out(b"book", value) for value in values], offset, 1)
    print(offset, flush=True)
"""

HOLD = """
import sys
from engine.log.recorder import RecorderLog
from engine.log.records import Out

log = RecorderLog.sqlite(sys.argv[1])
for name in (b"one", b"two"):
    log.submit([Out(b"book", name)])
    log.commit([Out(b"book", b"e-" + name)], log.last_command_offset() + 1, 1)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book ?#%.log"  # what a URI would take for something else


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(HERE)},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def write(log: RecorderLog, *names: str) -> None:
    """A page for each name."""
    for name in names:
        through = log.submit([Out(b"book", b"c-" + name.encode())])[-1]
        log.commit([Out(b"book", b"e-" + name.encode())], through, 1)


def written(path: Path, *names: str) -> None:
    with RecorderLog.sqlite(path) as log:
        write(log, *names)


def events(path: Path) -> list[str]:
    with RecorderLog.sqlite(path, writer=False) as log:
        return [record.value.decode() for record in log.events(-1)]


# --- durable --------------------------------------------------------------------------------------


def test_every_connection_that_commits_syncs(path: Path) -> None:
    with RecorderLog.sqlite(path) as log:
        write(log, "a")
        with log._shelf._datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == 2
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone()[0] == "wal"


def test_kill_9_loses_nothing_that_was_committed_and_leaves_no_half_page(
    path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    chance = random.Random(7)
    acknowledged = -1
    for round_ in range(20):
        process = child(WRITE, path, round_)
        time.sleep(chance.uniform(0.005, 0.06))
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[0].split("\n")[:-1]  # the last line may be cut
        if said:
            acknowledged = int(said[-1])
        with RecorderLog.sqlite(path, writer=False) as log:
            commands, found = list(log.commands(-1, 10**9, 0)), list(log.events(-1))
        assert [record.value for record in found] == [record.value for record in commands]
        assert [record.offset for record in found] == list(range(len(found)))
        assert all(record.value.rstrip(b".") == b"%d" % record.offset for record in found)
        assert len(found) > acknowledged
    assert acknowledged > 1_000


# --- one writer -----------------------------------------------------------------------------------


def test_a_second_engine_is_told_at_once_who_has_the_log(
    path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    process = child(HOLD, path)
    began = time.monotonic()
    with pytest.raises(LogLocked, match=f"process {process.pid}") as refused:
        RecorderLog.sqlite(path)
    assert refused.value.pid == process.pid
    assert time.monotonic() - began < 1
    assert events(path) == ["e-one", "e-two"], "readers come in all the same"
    process.kill()
    process.wait()
    with RecorderLog.sqlite(path) as log:
        assert log.last_event_offset() == 1, "the lock dies with its process"


def test_a_link_to_the_log_has_the_same_lock(path: Path) -> None:
    link = path.with_name("link.log")
    link.symlink_to(path)
    with RecorderLog.sqlite(path), pytest.raises(LogLocked):
        RecorderLog.sqlite(link)


def test_a_follower_is_woken_by_a_page_of_another_process(
    path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    written(path, "a")
    with RecorderLog.sqlite(path, writer=False) as follower:
        assert not follower.wait_events(0, 0.02)
        assert follower.wait_events(-1, 0.02)
        child(HOLD, path)
        assert follower.wait_events(0, 10.0)
        assert follower.page_count() > 1
        follower.wake()
        assert not follower.wait_events(99, 10.0)


# --- what is not a log ----------------------------------------------------------------------------


def refused(path: Path, *, writer: bool, create: bool = True, partition: int = 0) -> DaybookError:
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DaybookError) as error:
        RecorderLog.sqlite(path, writer=writer, create=create, partition=partition)
    assert (path.read_bytes() if path.exists() else None) == before, "what is refused stays as it was"
    return error.value


def test_a_missing_log_is_not_made_by_who_only_reads(path: Path) -> None:
    assert isinstance(refused(path, writer=False), NotInitialised)
    assert isinstance(refused(path, writer=True, create=False), NotInitialised)
    assert isinstance(refused(path / "no" / "folder", writer=True), NotInitialised)


def test_an_empty_file_is_no_log_yet(path: Path) -> None:
    path.touch()
    assert isinstance(refused(path, writer=False), NotInitialised)
    assert isinstance(refused(path, writer=True, create=False), NotInitialised)
    written(path, "a")
    assert events(path) == ["e-a"]


@pytest.mark.parametrize("writer", [True, False])
def test_another_file_is_no_log(path: Path, writer: bool) -> None:
    path.write_text("my diary, do not read\n" * 100)
    assert isinstance(refused(path, writer=writer), WrongLog)


@pytest.mark.parametrize("writer", [True, False])
def test_another_program_s_database_is_no_log(path: Path, writer: bool) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE diary (entry TEXT)")
    database.close()
    error = refused(path, writer=writer)
    assert isinstance(error, WrongLog)
    assert "not a Daybook log" in str(error)


@pytest.mark.parametrize("writer", [True, False])
def test_another_partition_is_another_log(path: Path, writer: bool) -> None:
    written(path, "a")
    error = refused(path, writer=writer, partition=3)
    assert isinstance(error, WrongLog)
    assert "partition 0, not 3" in str(error)


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises((WrongLog, LogUnavailable)):
        RecorderLog.sqlite(tmp_path)


@pytest.mark.parametrize("step", ["application_id", "WAL", "table"])
def test_a_creation_that_was_killed_is_completed(path: Path, step: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA application_id = 0x44424B31")
        if step != "application_id":
            database.execute("PRAGMA journal_mode = WAL")
    if step == "table":
        database.execute(
            "CREATE TABLE pages (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB,"
            " PRIMARY KEY (originator_id, originator_version))"
        )
    database.close()
    with pytest.raises(NotInitialised):
        RecorderLog.sqlite(path, writer=False)
    written(path, "a")
    assert events(path) == ["e-a"]


# --- damage ---------------------------------------------------------------------------------------


def test_a_damaged_byte_in_a_page_is_found_and_the_page_named(path: Path) -> None:
    written(path, *(f"<{number:05}>" for number in range(300)))
    content = bytearray(path.read_bytes())
    content[content.index(b"e-<00123>") + 4] ^= 1
    path.write_bytes(content)
    with RecorderLog.sqlite(path) as log:
        found = log.events(-1)
        assert [next(found).value for _ in range(123)] == [b"e-<%05d>" % number for number in range(123)]
        with pytest.raises(LogCorrupt, match="Page 123 of events-0") as error:
            next(found)
        assert error.value.page == 123
        assert len(list(log.commands(-1, 999, 0))) == 300, "the commands are whole"
        assert [record.offset for record in log.events(200)] == list(range(201, 300))


@pytest.mark.parametrize("seed", range(30))
def test_damage_anywhere_is_an_error_of_ours_or_harmless(path: Path, seed: int) -> None:
    written(path, *(f"<{number:05}>" for number in range(200)))
    whole, chance = path.read_bytes(), random.Random(seed)
    content = bytearray(whole)
    if seed % 3 == 0:
        content = content[: chance.randrange(len(content))]
    else:
        for _ in range(seed):
            content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)
    try:
        with RecorderLog.sqlite(path, create=False) as log:
            found = [record.value for record in log.events(-1)]
            commands = list(log.commands(-1, 999, 0))
    except DaybookError:
        return
    assert found == [b"e-<%05d>" % number for number in range(200)]
    assert len(commands) == 200


def test_a_missing_page_is_named(path: Path) -> None:
    written(path, "a", "b", "c", "d")
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM pages WHERE originator_id = 'events-0' AND originator_version = 2")
    database.close()
    with RecorderLog.sqlite(path) as log, pytest.raises(LogCorrupt, match="Page 2 of events-0 is missing"):
        list(log.events(-1))


# --- no room --------------------------------------------------------------------------------------


def test_a_full_disk_refuses_the_page_whole(path: Path) -> None:
    log = RecorderLog.sqlite(path)
    write(log, "a")
    with log._shelf._datastore.transaction(commit=False) as cursor:  # type: ignore[attr-defined]
        cursor.execute("PRAGMA max_page_count = 8")
    log.submit([Out(b"book", b"c" * 200_000)])
    with pytest.raises(LogUnwritable, match="disk is full"):
        log.commit([Out(b"book", b"e")], 1, 1)
    with pytest.raises(LogUnwritable):
        log.commit([], 1, 1)
    log.close()
    assert events(path) == ["e-a"]
    written(path, "b")
    assert events(path) == ["e-a", "e-b"]


LIMITED = """
import resource, sys
from engine.errors import LogUnwritable
from engine.log.recorder import RecorderLog
from engine.log.records import Out

log = RecorderLog.sqlite(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
print("open", flush=True)
try:
    for number in range(1_000):
        log.submit([Out(b"book", b"c-%d" % number)])
        log.commit([Out(b"book", b"e-%d" % number + b"." * 9_000)], number, 1)
        print(number, flush=True)
except LogUnwritable as error:
    print(error, flush=True)
"""


def test_a_write_that_the_system_refuses_stores_no_half_page(
    path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    said = child(LIMITED, path).communicate()[0].splitlines()
    assert "was not stored" in said[-1]
    acknowledged = int(said[-2])
    assert acknowledged > 5
    assert [event.rstrip(".") for event in events(path)] == [
        f"e-{number}" for number in range(acknowledged + 1)
    ]
    written(path, "later")
    assert events(path)[-1] == "e-later"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LogUnavailable):
        RecorderLog.sqlite(tmp_path / "book.log")

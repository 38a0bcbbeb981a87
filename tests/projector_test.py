"""The projector can be killed anywhere, run twice, be overtaken; and a rebuild finds what is not right."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

import projections.projector
import projections.rebuild
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, Out
from projections.database import Session, connect
from projections.layout import ReadModelsChanged
from projections.making import make
from projections.position import OtherLog
from projections.projector import Projector
from projections.read_models import TABLES
from projections.rebuild import NothingToCompare, RebuildRunning, rebuild
from projections.reporting import replace as replace_views
from projections.tables import Change
from schemas.catalogue import encode
from schemas.postings import Posting
from schemas.transfers import TransferPosted
from tests.random_bank import Bank


class Killed(BaseException):
    """The process ended here."""


class Fuse:
    """How many statements are still to come until the process is killed."""

    left = 0

    @classmethod
    def burn(cls, session: psycopg.Connection[Any]) -> None:
        cls.left -= 1
        if cls.left == 0:
            session.pgconn.finish()  # as the kernel closes the connection of a process that is killed
            raise Killed


class FusedCursor(psycopg.Cursor[Any]):
    """Counts statements."""

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        Fuse.burn(self.connection)
        return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> None:
        Fuse.burn(self.connection)
        super().executemany(*args, **kwargs)

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        Fuse.burn(self.connection)
        return super().copy(*args, **kwargs)


def fused(dsn: str) -> Session:
    return psycopg.connect(dsn, autocommit=True, cursor_factory=FusedCursor)


@pytest.fixture
def bank() -> Bank:
    bank = Bank(11)
    bank.run(300)
    return bank


@contextlib.contextmanager
def projector(dsn: str, log: MemoryLog | RecorderLog) -> Iterator[Projector]:
    with contextlib.closing(Projector(dsn, log)) as one:
        yield one


def is_right(dsn: str, log: MemoryLog | RecorderLog) -> bool:
    """Whether every row is what the log says, as far as it was projected."""
    found = rebuild(dsn, log, compare_only=True)
    assert [table.name for table in found.tables if table.differing] == [], found.tables
    return found.identical and found.compared


def one(session: Session, query: str) -> Any:
    row = session.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_killed_between_any_two_statements_it_leaves_nothing_half_done(
    postgres_dsn: str, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    with projector(postgres_dsn, bank.log) as healthy:
        healthy.step(30)
    monkeypatch.setattr(projections.projector, "connect", fused)
    original = make

    def then_before_the_commit(session: Session, *args: Any) -> None:
        original(session, *args)
        Fuse.burn(session)

    monkeypatch.setattr(projections.projector, "make", then_before_the_commit)
    deaths = 0
    with connect(postgres_dsn) as session:
        for statement in count(1):
            before = one(session, "SELECT event_offset FROM daybook.position")
            Fuse.left = statement
            try:
                with projector(postgres_dsn, bank.log) as doomed:
                    doomed.step(25)
            except Killed:
                deaths += 1
                assert one(session, "SELECT event_offset FROM daybook.position") == before
                assert one(session, "SELECT max(event_offset) FROM daybook.audit") == before
            else:
                break
            if before < 180:  # the next statement is reached with other events
                Fuse.left = 0
                with projector(postgres_dsn, bank.log) as healthy:
                    healthy.step(5)
    assert deaths > 15
    assert one_catches_up(postgres_dsn, bank)
    assert is_right(postgres_dsn, bank.log)


def one_catches_up(dsn: str, bank: Bank) -> bool:
    Fuse.left = 0
    with projector(dsn, bank.log) as healthy:
        healthy.catch_up()
        return healthy.offset == bank.log.last_event_offset()


def test_two_projectors_at_once_do_everything_once(postgres_dsn: str, bank: Bank) -> None:
    done = [0, 0]
    with projector(postgres_dsn, bank.log.reader()):
        pass

    def work(number: int) -> None:
        with projector(postgres_dsn, bank.log.reader()) as mine:
            while applied := mine.step(9):
                done[number] += applied

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == len(list(bank.log.events(BEFORE_FIRST)))
    assert is_right(postgres_dsn, bank.log)


def test_who_was_overtaken_changes_nothing_and_goes_on_from_there(postgres_dsn: str, bank: Bank) -> None:
    with projector(postgres_dsn, bank.log) as slow, projector(postgres_dsn, bank.log) as quick:
        slow.step(10)
        slow.step(10)
        assert quick.step(10)
        quick.catch_up()
        assert slow.step(10) == 0
        assert slow.offset == quick.offset
        bank.run(20)
        assert slow.step(1000)
        assert quick.step(1000) == 0
    assert is_right(postgres_dsn, bank.log)


def test_after_a_failure_the_same_projector_goes_on_where_it_was(
    postgres_dsn: str, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [False]

    def full_disk(session: Session, schema: str, changes: Sequence[Change]) -> None:
        make(session, schema, changes)
        if failing[0]:
            raise psycopg.errors.DiskFull

    monkeypatch.setattr(projections.projector, "make", full_disk)
    with projector(postgres_dsn, bank.log) as mine:
        while mine.step(40):
            failing[0] = True
            with contextlib.suppress(psycopg.errors.DiskFull):
                mine.step(40)
            failing[0] = False
    assert is_right(postgres_dsn, bank.log)


def test_a_rebuild_in_many_batches_makes_the_same_rows(
    postgres_dsn: str, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    with projector(postgres_dsn, bank.log) as mine:
        mine.catch_up()
    monkeypatch.setattr(projections.rebuild, "BATCH", 11)
    monkeypatch.setattr(projections.rebuild, "SETTLE_AFTER", 5)
    assert rebuild(postgres_dsn, bank.log).identical


def test_while_names_are_swapped_no_projector_moves_the_position(
    postgres_dsn: str, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it did then would be lost, and nobody would know."""
    with projector(postgres_dsn, bank.log) as mine:
        mine.catch_up()
    tried = []

    def replace(session: Session, tables: str, old: str) -> None:
        with connect(postgres_dsn) as beside:
            beside.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                beside.execute("UPDATE daybook.position SET event_offset = event_offset")
            assert beside.execute("SELECT count(*) > 0 FROM reporting.accounts").fetchone() == (True,)
        tried.append(old)
        replace_views(session, tables, old)

    monkeypatch.setattr("projections.reporting.replace", replace)
    rebuild(postgres_dsn, bank.log)
    assert tried


def test_an_outcome_is_never_cut_in_two(postgres_dsn: str) -> None:
    """Opening a book is one outcome of two events, of two books."""
    bank = Bank(1)
    with projector(postgres_dsn, bank.log) as one_by_one, connect(postgres_dsn) as session:
        while one_by_one.step(1):
            rows = session.execute(
                "SELECT a.event ->> 'cause', count(DISTINCT c.cause) FROM daybook.audit AS a "
                "LEFT JOIN daybook.commands AS c ON c.cause = (a.event ->> 'cause')::bigint "
                "WHERE a.event ->> 'cause' <> '-1' GROUP BY 1"
            ).fetchall()
            assert {rows_of for _, rows_of in rows} <= {1}
        two = session.execute("SELECT count(*) FROM daybook.audit WHERE type LIKE 'Book%'").fetchone()
        assert two == (4,)


def test_one_row_answers_a_command_that_moved_money_several_times(postgres_dsn: str) -> None:
    log = MemoryLog()
    day = datetime.date(2024, 5, 15)
    events = [
        TransferPosted(
            seq=seq,
            book="main",
            cause=cause,
            actor="root",
            command=f"c{cause}",
            debit="a",
            credit="b",
            amount=1,
            currency="EUR",
            reference="",
            booking_date=day,
            value_date=day,
            postings=(Posting("a", -1, "EUR", -seq), Posting("b", 1, "EUR", seq)),
        )
        for seq, cause in ((1, 0), (2, 1), (3, 1), (4, 1), (5, 2))
    ]
    log.commit([Out(b"main", encode(event)) for event in events], BEFORE_FIRST, 0)
    with projector(postgres_dsn, log) as mine, connect(postgres_dsn) as session:
        mine.catch_up(3)
        found = session.execute(
            "SELECT command, seq, last_seq FROM daybook.commands ORDER BY cause"
        ).fetchall()
        assert found == [("c0", 1, 1), ("c1", 2, 4), ("c2", 5, 5)]


def test_another_log_is_refused(postgres_dsn: str, bank: Bank) -> None:
    with projector(postgres_dsn, bank.log) as mine:
        mine.catch_up()
    other = Bank(12)
    other.run(300)
    shorter = Bank(11)
    for log in (other.log, shorter.log):
        with pytest.raises(OtherLog, match="not in this log"):
            Projector(postgres_dsn, log)
        with pytest.raises(OtherLog):
            rebuild(postgres_dsn, log, compare_only=True)
    done = rebuild(postgres_dsn, other.log)
    assert not done.compared
    assert is_right(postgres_dsn, other.log)


def test_a_changed_read_model_is_built_anew(postgres_dsn: str, bank: Bank) -> None:
    with projector(postgres_dsn, bank.log) as mine, connect(postgres_dsn) as session:
        mine.catch_up()
        session.execute("UPDATE daybook.definition SET digest = 'of another release'")
        session.execute("ALTER TABLE daybook.parties ADD COLUMN shoe_size integer")
        with pytest.raises(ReadModelsChanged, match="replay rebuild"):
            Projector(postgres_dsn, bank.log)
        with pytest.raises(NothingToCompare):
            rebuild(postgres_dsn, bank.log, compare_only=True)
        done = rebuild(postgres_dsn, bank.log)
        assert (done.compared, done.events) == (False, len(list(bank.log.events(BEFORE_FIRST))))
    assert is_right(postgres_dsn, bank.log)


def test_there_is_something_to_rebuild_only_after_projecting(postgres_dsn: str, bank: Bank) -> None:
    with pytest.raises(NothingToCompare):
        rebuild(postgres_dsn, bank.log, compare_only=True)
    told: list[int] = []
    assert rebuild(postgres_dsn, bank.log, told.append).events == told[-1]
    assert is_right(postgres_dsn, bank.log)


TAMPERED = [
    "UPDATE daybook.accounts SET booked = booked + 1 WHERE account = 'a1' AND book = 'main'",
    "UPDATE daybook.entries SET reference = 'nothing' WHERE ctid = (SELECT min(ctid) FROM daybook.entries)",
    "DELETE FROM daybook.entries WHERE seq = (SELECT max(seq) FROM daybook.entries WHERE book = 'main')",
    "UPDATE daybook.audit SET event = jsonb_set(event, '{actor}', '\"nobody\"') WHERE event_offset = 20",
    "DELETE FROM daybook.commands WHERE cause = 7",
    "UPDATE daybook.commands SET reason = 'busy' WHERE cause = 8",
    "INSERT INTO daybook.grants VALUES ('main', 'mallory', 'administrator', 'root', 1)",
    "UPDATE daybook.trial_balance SET debit = debit + 1, credit = credit + 1 WHERE ledger = '2000'",
    "UPDATE daybook.parties SET born_on = NULL, name = 'x' WHERE party = 'p1'",
    "UPDATE daybook.business_days SET ended_at = NULL WHERE book = 'main' AND ended_at IS NOT NULL",
    "UPDATE daybook.chart SET name = 'x' WHERE ledger = '2000'",
]


def test_every_tampered_row_is_found_and_mended(postgres_dsn: str, bank: Bank) -> None:
    with projector(postgres_dsn, bank.log) as mine, connect(postgres_dsn) as session:
        mine.catch_up()
        changed: dict[str, int] = {}
        for statement in TAMPERED:
            table = next(one.name for one in TABLES if f"daybook.{one.name} " in statement)
            rows = session.execute(statement.encode()).rowcount
            assert rows, statement
            changed[table] = changed.get(table, 0) + rows
        found = rebuild(postgres_dsn, bank.log, compare_only=True)
        assert {one.name: one.differing for one in found.tables if one.differing} == changed
        examples = {one.name: one.examples for one in found.tables if one.differing}
        assert all(1 <= len(one) <= 5 for one in examples.values())
        (party, *_) = examples["parties"]
        assert party.endswith("p1: name is personal data, born_on is personal data")
        assert examples["grants"] == ("main mallory administrator: one too many",)
        assert "missing" in examples["entries"][0] + examples["entries"][-1]
        assert not rebuild(postgres_dsn, bank.log).identical
        assert is_right(postgres_dsn, bank.log), "the rebuild mended it"
        bank.run(30)
        assert mine.step(1000), "the projector goes on with the new tables"
    assert is_right(postgres_dsn, bank.log)


def schemas(session: Session) -> set[str]:
    found = session.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'daybook%' OR nspname LIKE 'report%'"
    ).fetchall()
    return {str(row[0]) for row in found}


def test_a_rebuild_that_dies_leaves_everything_as_it_was(
    postgres_dsn: str, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    with projector(postgres_dsn, bank.log) as mine:
        mine.catch_up()
    deaths = 0
    with connect(postgres_dsn) as session:
        before = one(session, "SELECT 'daybook.position'::regclass::oid")
        monkeypatch.setattr(projections.rebuild, "connect", fused)
        for statement in [*range(1, 60, 14), *range(60, 2_000, 97)]:
            Fuse.left = statement
            try:
                rebuild(postgres_dsn, bank.log)
            except Killed:
                deaths += 1
                old = one(session, "SELECT 'daybook.position'::regclass::oid") == before
                assert schemas(session) - {"daybook_old", "reporting_old"} == {"daybook", "reporting"}
                assert old == ("daybook_old" not in schemas(session)), "swapped whole, or not at all"
                if not old:
                    break
        Fuse.left = 0
        assert deaths > 5
        assert is_right(postgres_dsn, bank.log)
        rebuild(postgres_dsn, bank.log)
        assert schemas(session) == {"daybook", "reporting"}
    assert is_right(postgres_dsn, bank.log)


def test_one_rebuild_at_a_time(postgres_dsn: str, bank: Bank) -> None:
    refused: list[RebuildRunning] = []

    def another(events: int) -> None:
        if not refused:
            with pytest.raises(RebuildRunning) as error:
                rebuild(postgres_dsn, bank.log)
            refused.append(error.value)

    assert rebuild(postgres_dsn, bank.log, another).events
    assert refused


def test_a_projector_at_work_and_readers_are_not_disturbed_by_rebuilds(postgres_dsn: str) -> None:
    bank = Bank(13)
    log = bank.log.reader()
    stopping = threading.Event()
    failures: list[BaseException] = []
    with projector(postgres_dsn, log) as first:
        first.catch_up()

    def follow() -> None:
        try:
            with projector(postgres_dsn, log) as mine:
                while not stopping.is_set() or mine.step(3):
                    mine.step(3)
        except BaseException as error:  # noqa: BLE001 - it is looked at by the thread that waits
            failures.append(error)

    def read() -> None:
        try:
            with connect(postgres_dsn) as session:
                while not stopping.is_set():
                    sums = session.execute(
                        "SELECT currency, sum(balance_minor) FROM reporting.trial_balance GROUP BY 1"
                    ).fetchall()
                    assert not any(total for _, total in sums)
        except BaseException as error:  # noqa: BLE001 - it is looked at by the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=follow), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            bank.run(40)
            done = rebuild(postgres_dsn, log)
            assert done.identical
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert not failures
    with projector(postgres_dsn, log) as last:
        assert last.step() == 0, "the projector had followed to the end"
    assert is_right(postgres_dsn, log)


def in_a_file(bank: Bank, path: Path) -> None:
    """The bank's events in a log that other processes can read."""
    with RecorderLog.sqlite(path) as log:
        page: list[Out] = []
        for record in bank.log.events(BEFORE_FIRST):
            page.append(Out(record.key, record.value, record.headers))
            if record.headers:
                log.commit(page, BEFORE_FIRST, record.time_ms)
                page = []


def where(session: Session) -> int:
    """The position of a projector that may be killed, may be starting, or may not have begun."""
    if one(session, "SELECT to_regclass('daybook.position')") is None:
        return BEFORE_FIRST
    found = session.execute("SELECT event_offset FROM daybook.position").fetchone()
    return BEFORE_FIRST if found is None else int(found[0])


CHILD = """
import sys
from engine.log.recorder import RecorderLog
from projections.projector import Projector
Projector(sys.argv[1], RecorderLog.sqlite(sys.argv[2], writer=False)).catch_up(5)
"""


@pytest.mark.long
def test_killed_with_signal_9_again_and_again_it_arrives(postgres_dsn: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")
    bank, chance = Bank(seed), random.Random(seed)
    bank.run(2_000)
    path = tmp_path / "log.sqlite"
    in_a_file(bank, path)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    kills = 0
    with connect(postgres_dsn) as session:
        while True:
            child = subprocess.Popen([sys.executable, "-c", CHILD, postgres_dsn, str(path)], env=environment)
            until = where(session) + chance.randrange(20, 200)
            while child.poll() is None and where(session) < until:
                time.sleep(0.001)
            time.sleep(chance.random() / 50)
            child.kill()
            if child.wait() == 0:
                break
            kills += 1
            with RecorderLog.sqlite(path, writer=False) as log:
                assert is_right(postgres_dsn, log)
    assert kills > 10
    with RecorderLog.sqlite(path, writer=False) as log:
        with projector(postgres_dsn, log) as last:
            assert last.step() == 0
        assert is_right(postgres_dsn, log)

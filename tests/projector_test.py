"""The projector can be killed anywhere, run twice, and be overtaken; it knows its own log."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

import projections.rebuild
import projections.store
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, Out
from projections import audit
from projections.database import Session, connect
from projections.layout import LIVE, ensure, month_table
from projections.making import make
from projections.position import OtherLog
from projections.projector import PATIENCE, Projector
from projections.rebuild import rebuild
from projections.tables import Change
from schemas.catalogue import encode
from schemas.postings import Posting
from schemas.transfers import TransferPosted
from tests.projecting import (
    Fuse,
    Killed,
    fused,
    is_right,
    one,
    projector,
)
from tests.random_bank import Bank


@pytest.fixture
def bank() -> Bank:
    bank = Bank(11)
    bank.run(300)
    return bank


def test_killed_between_any_two_statements_it_leaves_nothing_half_done(
    postgres_dsn: str, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    with projector(postgres_dsn, bank.log) as healthy:
        healthy.step(30)
    monkeypatch.setattr(projections.store, "connect", fused)
    original = make

    def then_before_the_commit(session: Session, *args: Any) -> None:
        original(session, *args)
        Fuse.burn(session)

    monkeypatch.setattr(projections.store, "make", then_before_the_commit)
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

    monkeypatch.setattr(projections.store, "make", full_disk)
    with projector(postgres_dsn, bank.log) as mine:
        while mine.step(40):
            failing[0] = True
            with contextlib.suppress(psycopg.errors.DiskFull):
                mine.step(40)
            failing[0] = False
    assert is_right(postgres_dsn, bank.log)


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
        with pytest.raises(OtherLog, match=r"not in this log|ends before that"):
            Projector(postgres_dsn, log)
        with pytest.raises(OtherLog):
            rebuild(postgres_dsn, log, compare_only=True)
    done = rebuild(postgres_dsn, other.log)
    assert not done.compared
    assert is_right(postgres_dsn, other.log)


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
from projections.projector import PATIENCE, Projector
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


def test_a_projector_that_sees_the_log_late_waits_for_what_another_has_seen(postgres_dsn: str) -> None:
    bank = Bank(3)
    bank.run(30)
    late, log = bank.log.reader(), bank.log.reader()
    with projector(postgres_dsn, late) as one, projector(postgres_dsn, log) as other:
        late.show(20)
        one.step(1)
        other.catch_up()
        assert one.step() == 0  # what it had read is another's, and what that has read is not here yet
        assert one.step() == 0
        late.show(log.page_count())
        assert one.catch_up() == 0
        assert one.offset == other.offset
        bank.run(10)
        late.show(log.page_count())
        assert one.catch_up() > 0
        assert is_right(postgres_dsn, log)


def test_a_log_that_stays_shorter_is_another_one(postgres_dsn: str) -> None:
    bank = Bank(3)
    bank.run(30)
    late, log = bank.log.reader(), bank.log.reader()
    with projector(postgres_dsn, late) as one, projector(postgres_dsn, log) as other:
        late.show(20)
        one.step(1)
        other.catch_up()
        assert [one.step() for _ in range(PATIENCE)] == [0] * PATIENCE
        with pytest.raises(OtherLog, match="ends before that"):
            one.step()


def test_two_projectors_that_meet_the_same_new_month_make_its_table_once(postgres_dsn: str) -> None:
    table = next(one for one in audit.TABLES if one.name == "audit")
    names: list[str] = []
    with connect(postgres_dsn) as first, connect(postgres_dsn) as second:
        ensure(first)

        def beside() -> None:
            with second.transaction():
                names.append(month_table(second, LIVE, table, "2031-05-01"))

        other = threading.Thread(target=beside)
        with first.transaction():
            names.append(month_table(first, LIVE, table, "2031-05-01"))
            other.start()
            other.join(0.3)
            assert other.is_alive(), "it waits for what is not committed yet"
        other.join()
    assert names == ["audit_2031_05"] * 2

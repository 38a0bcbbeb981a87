"""A rebuild finds what is not right and mends it, whoever works or dies meanwhile."""

from __future__ import annotations

import threading

import psycopg
import pytest

import projections.rebuild
import projections.store
from engine.log.records import BEFORE_FIRST
from projections.database import Session, connect
from projections.layout import ReadModelsChanged
from projections.projector import Projector
from projections.read_models import TABLES
from projections.rebuild import NothingToCompare, RebuildRunning, rebuild
from projections.reporting import replace as replace_views
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


@pytest.mark.long
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


@pytest.mark.long
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

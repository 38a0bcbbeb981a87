"""The reporting views: documented, masked, and all that their role can see; and the audit log's months."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from projections import (
    approvals_views,
    bulks,
    case_views,
    cross_book,
    documents,
    exchange,
    holds,
    orders,
    payment_views,
    payments_in,
    positions,
    value_dates,
)
from projections.database import Session, connect
from projections.projector import Projector
from projections.rebuild import rebuild
from projections.reporting import ROLE
from projections.views import VIEWS
from schemas.books import SystemBookOpened, TimeAdvanced
from schemas.catalogue import encode
from schemas.message import Event
from schemas.parties import RegisterParty
from tests.random_bank import Bank

NEVER_HERE = {
    view.name
    for room in (
        approvals_views,
        bulks,
        case_views,
        cross_book,
        documents,
        exchange,
        holds,
        orders,
        payment_views,
        payments_in,
        positions,
        value_dates,
    )
    for view in room.VIEWS
} | {"month_ends", "interest", "limit_usage", "limit_raises", "fees"}
"""Views of what the random histories never do; the tests of each capability have rows in them."""
PUBLIC = [view for view in VIEWS if not view.for_staff]
SECRETS = ("Zacharias Geheim", "ID-4711-X", "1961-08-13", "Ruth")


@pytest.fixture
def bank() -> Bank:
    bank = Bank(21)
    bank.run(200)
    name, number, born_on, _ = SECRETS
    secret = RegisterParty(
        id="secret",
        book="main",
        actor="root",
        issued_at_ms=bank.now,
        party="z",
        kind="person",
        name=name,
        number=number,
        born_on=datetime.date.fromisoformat(born_on),
    )
    quoted = b'{"type":"Zacharias Geheim","id":"q"}'
    bank.submit(Out(b"main", encode(secret)), Out(b"main", quoted))
    return bank


@contextlib.contextmanager
def reporter(dsn: str) -> Iterator[Session]:
    with connect(dsn) as session:
        session.execute(f"SET ROLE {ROLE}".encode())
        yield session


def test_the_role_reads_the_views_and_nothing_else(postgres_dsn: str, bank: Bank) -> None:
    with contextlib.closing(Projector(postgres_dsn, bank.log)) as projector:
        projector.catch_up()
    for rebuilt in (False, True):
        if rebuilt:
            assert rebuild(postgres_dsn, bank.log).identical
        with reporter(postgres_dsn) as session:
            for view in PUBLIC:
                found = session.execute(f"SELECT count(*) FROM reporting.{view.name}".encode()).fetchone()
                assert found is not None
                assert (found[0] > 0) == (view.name not in NEVER_HERE), view.name
            for forbidden in (
                "SELECT * FROM daybook.accounts",
                "SELECT * FROM daybook.audit",
                "SELECT * FROM daybook.audit_2024_01",
                "UPDATE daybook.accounts SET booked = 0",
                "UPDATE reporting.accounts SET status = 'closed'",
                "INSERT INTO reporting.grants VALUES ('main', 'me', 'administrator', '', 1)",
                "DELETE FROM reporting.entries",
                "TRUNCATE daybook.entries",
                "CREATE TABLE reporting.mine (x integer)",
                "CREATE TABLE daybook.mine (x integer)",
                "DROP VIEW reporting.accounts",
                "UPDATE daybook.position SET event_offset = -1",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    session.execute(forbidden.encode())


def test_nothing_personal_or_restricted_shows(postgres_dsn: str, bank: Bank) -> None:
    with contextlib.closing(Projector(postgres_dsn, bank.log)) as projector:
        projector.catch_up()
    with connect(postgres_dsn) as session:
        whole = session.execute("SELECT string_agg(event::text, ' ') FROM daybook.audit").fetchone()
        assert whole is not None
        assert all(secret in whole[0] for secret in SECRETS)
    with reporter(postgres_dsn) as session:
        for view in PUBLIC:
            shown = session.execute(
                f"SELECT string_agg(v::text, ' ') FROM reporting.{view.name} AS v".encode()
            ).fetchone()
            assert shown is not None
            assert not [secret for secret in SECRETS if secret in (shown[0] or "")], view.name
        (party,) = session.execute(
            "SELECT name, number, born_on FROM reporting.parties WHERE party = 'z'"
        ).fetchall()
        assert party == ("***", "***", "***")


def test_every_view_and_column_says_what_it_means(postgres_dsn: str) -> None:
    with contextlib.closing(Projector(postgres_dsn, MemoryLog())), connect(postgres_dsn) as session:
        undocumented = session.execute(
            "SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = 'reporting'::regnamespace AND a.attnum > 0 "
            "AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)"
        ).fetchall()
        assert undocumented == []
        amounts = session.execute(
            "SELECT col_description(c.oid, a.attnum) FROM pg_class AS c JOIN pg_attribute AS a "
            "ON a.attrelid = c.oid WHERE relnamespace = 'reporting'::regnamespace AND attname LIKE '%_minor'"
        ).fetchall()
        assert len(amounts) >= 10
        assert all("Minor units" in text for (text,) in amounts)


def test_views_of_another_release_are_made_anew(postgres_dsn: str) -> None:
    with contextlib.closing(Projector(postgres_dsn, MemoryLog())), connect(postgres_dsn) as session:
        session.execute("UPDATE daybook.definition SET views = 'of another release'")
        session.execute("DROP VIEW reporting.accounts")
        with contextlib.closing(Projector(postgres_dsn, MemoryLog())):
            assert session.execute("SELECT count(*) FROM reporting.accounts").fetchone() == (0,)


def test_the_audit_log_has_a_partition_for_each_month_that_has_events(postgres_dsn: str) -> None:
    """From the first month of Unix time to the last that a book can reach, in one batch."""
    times = {
        "1970_01": 0,
        "1999_12": 946_684_799_999,
        "2000_01": 946_684_800_000,
        "2024_02": 1_709_251_199_999,
        "2024_03": 1_709_251_200_000,
        "9998_12": 253_370_764_799_999,
    }
    log = MemoryLog()
    events: list[Event] = [
        SystemBookOpened(administrators=(), release=1, epoch_id="e", seq=1, book="~system", at=0)
    ]
    events += [TimeAdvanced(seq=seq, book="~system", at=at) for seq, at in enumerate(times.values(), 2)]
    log.commit([Out(b"~system", encode(event)) for event in events], BEFORE_FIRST, 0)
    with contextlib.closing(Projector(postgres_dsn, log)) as projector, connect(postgres_dsn) as session:
        assert projector.catch_up() == 7
        assert months(session) == set(times)
        for name, at in times.items():
            found = session.execute(f"SELECT at FROM daybook.audit_{name} ORDER BY at DESC LIMIT 1".encode())
            (shown,) = found.fetchone() or (None,)
            assert shown is not None
            assert round(shown.timestamp() * 1000) == at
        with pytest.raises(psycopg.errors.CheckViolation):
            session.execute(
                "INSERT INTO daybook.audit SELECT book, 99, '2024-04-01', type, actor, command, timer, "
                "entities, event_offset, event FROM daybook.audit LIMIT 1"
            )
    assert rebuild(postgres_dsn, log).identical
    with connect(postgres_dsn) as session:
        assert months(session) == set(times)


def months(session: Session) -> set[str]:
    found = session.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'daybook.audit'::regclass"
    ).fetchall()
    return {str(name).removeprefix("daybook.audit_") for (name,) in found}

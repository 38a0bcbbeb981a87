"""The read model of payments between books says what the books say; so does what accounts have held."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.rows import dict_row

from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST
from gateway.relay import Relay
from projections.cross_book_queries import named, unsettled
from projections.database import Session, connect
from projections.projector import Projector
from schemas.books import AdvanceTime
from schemas.crossbook import (
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
    SendToBook,
)
from schemas.message import Event
from tests.crossbook_simulation_test import BOOKS, World
from tests.crossbook_words import agreed, complete, send
from tests.projecting import is_right, utc
from tests.story import BEGAN_MS, account, given, story
from tests.terms_words import charged, fee


def world(seed: int, payments: int) -> World:
    """Books between which much has happened and something is on its way."""
    made = World(seed, BOOKS, crashing=False)
    host = made.site.host(Relay())
    for _ in range(payments):
        made.something()
        host = made.site.run(Relay, host, steps=made.chance.randrange(3))
    return made


@contextlib.contextmanager
def projected(dsn: str, log: MemoryLog, limit: int) -> Iterator[Session]:
    with contextlib.closing(Projector(dsn, log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_every_row_is_what_both_sides_have_recorded(postgres_dsn: str, limit: int) -> None:
    made = world(3, 60)
    log = made.site.partitions[0].log
    expected: dict[tuple[str, str, int], dict[str, Any]] = {}
    for event in made.events():
        _note(expected, event)
    folded = Folded()
    folded.apply(log.events(BEFORE_FIRST))
    with projected(postgres_dsn, log, limit) as session:
        found = {
            (row["from_book"], row["to_book"], row["number"]): row
            for row in rows(session, "SELECT * FROM daybook.cross_book")
        }
        assert found.keys() == expected.keys()
        for key, fields in expected.items():
            for name, value in fields.items():
                assert found[key][name] == value, (key, name)
        assert {row["state"] for row in found.values()} >= {"completed", "released", "sent"}
        held = {
            (row["book"], row["account"]): row["held"]
            for row in rows(session, "SELECT * FROM daybook.accounts WHERE held <> 0")
        }
        assert held == {
            (name, account): one.held
            for name, book in folded.partition.books.items()
            for account, one in book.accounts.items()
            if one.held
        }
        assert held
        on_the_way = {
            (name, to, number)
            for name, book in folded.partition.books.items()
            for to, other in book.crossings.others.items()
            for number in other.on_the_way
        }
        asked = unsettled(session)
        assert {(row.from_book, row.to_book, row.number) for row in asked} == on_the_way
        assert [row.sent_at for row in asked] == sorted(row.sent_at for row in asked if row.sent_at)
    assert is_right(postgres_dsn, log.reader())


def _note(rows: dict[tuple[str, str, int], dict[str, Any]], event: Event) -> None:
    """What the event says of its payment, column by column."""
    match event:
        case CrossBookSent():
            rows[event.book, event.to_book, event.number] = {
                "transfer": event.transfer,
                "from_account": event.account,
                "to_account": event.to_account,
                "amount": event.amount,
                "currency": event.currency,
                "reference": event.reference,
                "reason": None,
                "sent_at": utc(event.at),
                "sent_seq": event.seq,
                "received_seq": None,
                "refused_seq": None,
                "settled_at": None,
                "acknowledged_seq": None,
                "state": "sent",
            }
        case CrossBookReceived():
            rows[event.from_book, event.book, event.number] |= {
                "answered_at": utc(event.at),
                "received_seq": event.seq,
                "state": "received",
            }
        case CrossBookRefused():
            rows[event.from_book, event.book, event.number] |= {
                "answered_at": utc(event.at),
                "refused_seq": event.seq,
                "reason": event.reason,
                "figures": event.figures,
                "state": "refused",
            }
        case CrossBookCompleted():
            row = {"settled_at": utc(event.at), "completed_seq": event.seq, "state": "completed"}
            rows[event.book, event.to_book, event.number] |= row
        case CrossBookReleased():
            row = {"settled_at": utc(event.at), "released_seq": event.seq, "state": "released"}
            rows[event.book, event.to_book, event.number] |= row
        case CrossBookAcknowledged():
            rows[event.from_book, event.book, event.number] |= {
                "acknowledged_at": utc(event.at),
                "acknowledged_seq": event.seq,
            }
        case _:
            pass


def test_a_payment_is_found_by_its_name_and_its_age_is_seen(postgres_dsn: str) -> None:
    made = World(1, BOOKS, crashing=False)
    made.tell(
        SendToBook,
        "north",
        transfer="rent",
        account="a0",
        amount=30,
        currency="EUR",
        to_book="south",
        to_account="nobody",
    )
    made.site.now += 90_000
    made.tell(AdvanceTime, "north", to_ms=made.site.now)
    log = made.site.partitions[0].log
    with projected(postgres_dsn, log, 100) as session:
        (row,) = named(session, "rent")
        assert (row.state, row.from_account, row.to_account, row.age_s) == ("sent", "a0", "nobody", 90)
        assert row.sent_at == utc(BEGAN_MS)
        assert [one.transfer for one in unsettled(session, "north")] == ["rent"]
        assert unsettled(session, "west") == named(session, "else") == []
    made.site.run(Relay)
    with projected(postgres_dsn, log, 100) as session:
        (row,) = named(session, "rent", "south")
        assert (row.state, row.reason, row.figures) == (
            "released",
            "account_not_found",
            {"account": "nobody"},
        )
        assert row.age_s is None
        assert unsettled(session) == []


def test_a_fee_is_shown_when_it_is_charged_and_not_while_it_is_reserved(postgres_dsn: str) -> None:
    given(
        charged(fee("each", flat=20)),
        account("alice", 200, product="giro"),
        agreed(),
        send("x1", "alice", 80),
        send("x2", "alice", 10),
        complete("x1"),
    )
    completed = story().last[0].seq
    with projected(postgres_dsn, story().log, 7) as session:
        (row,) = rows(session, "SELECT * FROM daybook.fees")
    assert (row["seq"], row["amount"], row["status"]) == (completed, 20, "charged")

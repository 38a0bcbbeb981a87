"""How the tests of the read models project, kill a projector at a statement, and compare with the log."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

import psycopg

from book.state import Book
from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST
from projections.database import Session, connect
from projections.projector import Projector
from projections.rebuild import rebuild
from schemas.catalogue import decode_event
from schemas.message import Event
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


@contextlib.contextmanager
def projected(dsn: str, bank: Bank, limit: int = 10_000) -> Iterator[Session]:
    """A session after everything in the bank's log was projected."""
    with contextlib.closing(Projector(dsn, bank.log.reader())) as projector:
        projector.catch_up(limit)
    with contextlib.closing(connect(dsn)) as session:
        yield session


def events_of(bank: Bank) -> list[Event]:
    return [decode_event(record.value) for record in bank.log.events(BEFORE_FIRST)]


def books_of(bank: Bank) -> dict[str, Book]:
    folded = Folded()
    folded.apply(bank.log.events(BEFORE_FIRST))
    return folded.partition.books


def utc(at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC) + datetime.timedelta(
        milliseconds=at_ms % 1000
    )

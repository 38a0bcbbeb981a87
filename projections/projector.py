"""The projector: follows the events of one partition and keeps the read models up with them.

Each batch is one transaction, and its first statement moves the position from where this projector believes
it to be. One row, or somebody else has moved it: then nothing is changed, and the projector looks again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import psycopg

from engine.errors import DaybookError
from engine.log.records import BEFORE_FIRST, Record
from projections.batches import batches
from projections.database import connect
from projections.layout import LIVE, Session, ensure, execute, month_table
from projections.read_models import changes_of
from projections.tables import Batch, Change, Execute, Insert, Stage

BATCH: Final = 10_000
"""Events in a transaction when there are many to catch up with."""


class EventLog(Protocol):
    """What the projector needs of a log: its events, in order."""

    def events(self, after: int) -> Iterator[Record]: ...


class OtherLog(DaybookError):
    """The read models were projected from another log than this one, or from a longer one."""

    advice = "Check DAYBOOK_DATABASE_URL and the log, or build them anew with `daybook replay rebuild`."


class _Moved(Exception):
    """Another projector, or a rebuild, has moved the position."""


class Projector:
    """Keeps the read models of one partition. dsn: of their database.   log: where the events are."""

    def __init__(self, dsn: str, log: EventLog, partition: int = 0) -> None:
        """Makes tables that are missing. Raises DatabaseUnavailable, ReadModelsChanged or OtherLog."""
        self.log = log
        self.partition = partition
        self._session = connect(dsn)
        try:
            prepare(self._session)
            ensure(self._session)
            self.offset = self._recall()
        except BaseException:
            self._session.close()
            raise

    def step(self, limit: int = BATCH) -> int:
        """Apply about `limit` events that the read models lack; returns how many, 0 where there are none."""
        while True:
            batch = next(batches(self.partition, self.log.events(self.offset), limit), None)
            if batch is None:
                return 0
            try:
                self._apply(batch, changes_of(batch))
            except _Moved:
                self.offset = self._recall()
                continue
            return len(batch.records)

    def catch_up(self, limit: int = BATCH) -> int:
        """Apply everything that is in the log; returns how many events that were."""
        done = 0
        while applied := self.step(limit):
            done += applied
        return done

    def close(self) -> None:
        """Give the session back."""
        self._session.close()

    def _recall(self) -> int:
        """The position as the database has it, which must be one of this log's."""
        execute(
            self._session,
            f"INSERT INTO {LIVE}.position VALUES (%s, %s, '') ON CONFLICT DO NOTHING",
            self.partition,
            BEFORE_FIRST,
        )
        found = execute(
            self._session,
            f"SELECT event_offset, event_digest FROM {LIVE}.position WHERE partition = %s",
            self.partition,
        ).fetchone()
        assert found is not None, "the row is there, or was just made"
        offset, digest = int(found[0]), str(found[1])
        if offset > BEFORE_FIRST:
            record = next(self.log.events(offset - 1), None)
            if record is None or record.offset != offset or _digest(record) != digest:
                raise OtherLog(f"The read models stand at event {offset}, which is not in this log.")
        return offset

    def _apply(self, batch: Batch, changes: Sequence[Change]) -> None:
        last = batch.records[-1]
        with self._session.transaction():
            moved = execute(
                self._session,
                f"UPDATE {LIVE}.position SET event_offset = %s, event_digest = %s "
                "WHERE partition = %s AND event_offset = %s",
                last.offset,
                _digest(last),
                self.partition,
                self.offset,
            ).rowcount
            if moved != 1:
                raise _Moved
            make(self._session, LIVE, changes)
        self.offset = last.offset


def prepare(session: Session) -> None:
    """Set a session up to write read models."""
    # What a crash of the server may take of the last moments is projected again, for the position goes with
    # it. Only this session does without: the log may live in the same server.
    execute(session, "SET synchronous_commit = off")
    execute(session, "SET TimeZone = 'UTC'")


def make(session: Session, schema: str, changes: Sequence[Change]) -> None:
    """Make the changes within the caller's transaction."""
    with session.cursor() as cursor:
        for change in changes:
            match change:
                case Insert():
                    name = change.table.name
                    if change.month:
                        name = month_table(session, schema, change.table, change.month, alone=True)
                    copy(cursor, f"{schema}.{name} ({change.table.names()})", change.rows)
                case Stage():
                    execute(
                        session,
                        f"CREATE TEMP TABLE IF NOT EXISTS {change.staging} ({change.columns}) "
                        "ON COMMIT DELETE ROWS",
                    )
                    copy(cursor, change.staging, change.rows)
                    for statement in change.statements:
                        execute(session, statement.format(schema=schema))
                case Execute():
                    cursor.executemany(change.statement.format(schema=schema).encode(), change.parameters)


def copy(cursor: psycopg.Cursor[tuple[object, ...]], target: str, rows: bytes, options: str = "") -> None:
    """Add rows in COPY's text format."""
    with cursor.copy(f"COPY {target} FROM STDIN{options}".encode()) as stream:
        stream.write(rows)


def _digest(record: Record) -> str:
    return hashlib.blake2b(record.value, digest_size=16).hexdigest()

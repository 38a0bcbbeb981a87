"""Building the read models anew beside the live ones, comparing the two, and putting the new ones in place.

All of it is one transaction: whoever kills it finds everything as it was. The new tables get their keys and
indexes after they are loaded; and where the server allows (`wal_level = minimal`), tables made in the same
transaction are written without a journal.

The live tables are compared as they were when the transaction began, so no projector waits for that. Only the
end holds projectors up: their first statement moves the position, and waits until the new tables, brought to
that same position, have their names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Final

import msgspec
import psycopg

from engine.errors import DaybookError
from engine.log.records import BEFORE_FIRST, Record
from projections import reporting
from projections.ahead import ahead
from projections.batches import batches
from projections.comparing import Comparison, tables_match
from projections.database import Session, connect, execute
from projections.layout import LIVE, LOCK, add_keys, create, exists
from projections.making import add, prepare, settle
from projections.position import EventLog, OtherLog, digest_of, position, recall
from projections.projector import collector_paused
from projections.read_models import DIGEST, TABLES, changes_of
from projections.tables import Batch, Change

SHADOW: Final = "daybook_shadow"
OLD: Final = "daybook_old"
OLD_REPORTING: Final = "reporting_old"
BATCH: Final = 20_000
SETTLE_AFTER: Final = 50
"""Batches after which balances are settled: rarely, since one transaction's old rows stay until it ends."""
_REBUILDING: Final = LOCK + 1
Progress = Callable[[int], None]


class RebuildRunning(DaybookError):
    """Another rebuild is at work in this database."""

    advice = "Wait until it is done."


class NothingToCompare(DaybookError):
    """There are no read models, or they were defined differently."""

    advice = "Build them with `daybook replay rebuild`."


class Rebuilt(msgspec.Struct, frozen=True):
    """What came of it. events: in the new tables.   compared: False where there was nothing to compare with.

    tables: each with its rows, and how many of them are not what the log says.
    """

    events: int
    compared: bool
    swapped: bool
    tables: list[Comparison]

    @property
    def identical(self) -> bool:
        """Whether no compared row differed."""
        return not any(table.differing for table in self.tables)


def rebuild(
    dsn: str,
    log: EventLog,
    progress: Progress | None = None,
    *,
    compare_only: bool = False,
    partition: int = 0,
) -> Rebuilt:
    """Build, compare, swap; with compare_only, build, compare, forget. progress: told the events so far.

    Raises RebuildRunning, DatabaseUnavailable; with compare_only also NothingToCompare and OtherLog.
    """
    with contextlib.closing(connect(dsn)) as session:
        prepare(session)
        execute(session, "SET maintenance_work_mem = '256MB'")
        execute(session, "SET work_mem = '128MB'")
        _take_turn(session)
        work = _Rebuild(session, log, progress or (lambda events: None), partition)
        if compare_only:
            return work.compare()
        clear(session)
        done = work.replace(dsn)
        with contextlib.suppress(psycopg.errors.LockNotAvailable):  # else the next rebuild clears it
            execute(session, "SET lock_timeout = '3s'")
            clear(session)
        return done


def _take_turn(session: Session) -> None:
    """Keep other rebuilds away while this session lasts. One that just ended may need a moment to let go."""
    execute(session, "SET lock_timeout = '2s'")
    try:
        execute(session, "SELECT pg_advisory_lock(%s)", _REBUILDING)
    except psycopg.errors.LockNotAvailable as error:
        raise RebuildRunning("The read models are being rebuilt already.") from error
    execute(session, "SET lock_timeout = 0")


def clear(session: Session) -> None:
    """Drop what a rebuild has replaced. Waits for whoever still reads it."""
    for schema in (OLD_REPORTING, OLD):
        execute(session, f"DROP SCHEMA IF EXISTS {schema} CASCADE")


class _Rebuild:
    """One transaction's work. events: so far in the new tables.   last: the record they stand at."""

    def __init__(self, session: Session, log: EventLog, progress: Progress, partition: int) -> None:
        self.session = session
        self.log = log
        self.progress = progress
        self.partition = partition
        self.events = 0
        self.last: Record | None = None

    def compare(self) -> Rebuilt:
        with self.session.transaction(force_rollback=True):
            offset = self._begin()
            if offset is None:
                raise NothingToCompare("There are no read models of this release.")
            recall(self.session, self.log, self.partition)
            self._build(offset)
            tables = tables_match(self.session, LIVE, SHADOW)
        return Rebuilt(self.events, compared=True, swapped=False, tables=tables)

    def replace(self, dsn: str) -> Rebuilt:
        with self.session.transaction():
            offset = self._begin()
            if offset is not None:
                try:
                    recall(self.session, self.log, self.partition)
                except OtherLog:
                    offset = None
            self._build(offset)
            tables = tables_match(self.session, LIVE if offset is not None else SHADOW, SHADOW)
            self._swap(dsn, follow=offset is not None)
        return Rebuilt(self.events, compared=offset is not None, swapped=True, tables=tables)

    def _begin(self) -> int | None:
        """Fix what is seen of the live tables; where they are of this release, the offset they stand at."""
        execute(self.session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if not exists(self.session):
            return None
        others = execute(
            self.session, f"SELECT count(*) FROM {LIVE}.position WHERE partition <> %s", self.partition
        ).fetchone()
        if others != (0,):
            raise OtherLog("The read models hold other partitions, which this log does not have.")
        if execute(self.session, f"SELECT digest FROM {LIVE}.definition").fetchone() != (DIGEST,):
            return None
        return position(self.session, self.partition)

    def _build(self, until: int | None) -> None:
        create(self.session, SHADOW, keys=False)
        self._load(until)
        add_keys(self.session, SHADOW)
        for table in TABLES:
            # Statistics over whole events would take as long as loading them, and nothing asks for them.
            columns = ", ".join(name for name, kind in table.columns if not kind.startswith("jsonb"))
            execute(self.session, f"ANALYZE {SHADOW}.{table.name} ({columns})")

    def _load(self, until: int | None) -> None:
        """Apply what is in the log behind `last`, through the offset `until` or to its end."""
        after = BEFORE_FIRST if self.last is None else self.last.offset

        def changes() -> Iterator[tuple[Batch, list[Change]]]:
            records = self.log.events(after)
            if until is not None:
                records = takewhile(lambda record: record.offset <= until, records)
            for batch in batches(self.partition, records, BATCH):
                yield batch, changes_of(batch)

        with collector_paused():
            for number, (batch, made) in enumerate(ahead(changes), 1):
                add(self.session, SHADOW, made, fresh=True)
                if number % SETTLE_AFTER == 0:
                    settle(self.session, SHADOW)
                self.last = batch.records[-1]
                self.events += len(batch.records)
                self.progress(self.events)
        settle(self.session, SHADOW)

    def _swap(self, dsn: str, *, follow: bool) -> None:
        session = self.session
        execute(session, "SELECT pg_advisory_xact_lock(%s)", LOCK)
        if exists(session):
            # Projectors wait here from now on. What they have done since we began, this transaction cannot
            # see, but another session can.
            execute(session, f"LOCK TABLE {LIVE}.position IN SHARE ROW EXCLUSIVE MODE")
            if follow:
                with contextlib.closing(connect(dsn)) as beside:
                    self._load(position(beside, self.partition))
            execute(session, f"ALTER SCHEMA {LIVE} RENAME TO {OLD}")
        offset, digest = BEFORE_FIRST, ""
        if self.last is not None:
            offset, digest = self.last.offset, digest_of(self.last)
        execute(session, f"INSERT INTO {SHADOW}.position VALUES (%s, %s, %s)", self.partition, offset, digest)
        execute(session, f"ALTER SCHEMA {SHADOW} RENAME TO {LIVE}")
        reporting.replace(session, LIVE, OLD_REPORTING)

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
from collections.abc import Callable, Iterator, Sequence
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
from projections.position import EventLog, OtherLog, digest_of, position, recall, stored
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
    logs: EventLog | Sequence[EventLog],
    progress: Progress | None = None,
    *,
    compare_only: bool = False,
    anew: bool = False,
) -> Rebuilt:
    """Build, compare, swap; with compare_only, build, compare, forget. progress: told the events so far.

    logs: of all partitions, in their order.   anew: whatever there is, of other partitions too, may go.

    Raises RebuildRunning, DatabaseUnavailable; with compare_only also NothingToCompare and OtherLog.
    """
    with contextlib.closing(connect(dsn)) as session:
        prepare(session)
        execute(session, "SET maintenance_work_mem = '256MB'")
        execute(session, "SET work_mem = '128MB'")
        _take_turn(session)
        found = list(logs) if isinstance(logs, Sequence) else [logs]
        work = _Rebuild(session, found, progress or (lambda events: None))
        if compare_only:
            return work.compare()
        clear(session)
        done = work.replace(dsn, anew)
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
    """One transaction's work. events: so far in the new tables.   last: by partition, where they stand."""

    def __init__(self, session: Session, logs: Sequence[EventLog], progress: Progress) -> None:
        self.session = session
        self.logs = logs
        self.progress = progress
        self.events = 0
        self.last: list[Record | None] = [None] * len(logs)

    def compare(self) -> Rebuilt:
        with self.session.transaction(force_rollback=True):
            offsets = self._begin()
            if offsets is None:
                raise NothingToCompare("There are no read models of this release.")
            self._recall(offsets)
            self._build(offsets)
            tables = tables_match(self.session, LIVE, SHADOW)
        return Rebuilt(self.events, compared=True, swapped=False, tables=tables)

    def replace(self, dsn: str, anew: bool) -> Rebuilt:
        with self.session.transaction():
            offsets = None if anew else self._begin()
            if offsets is not None:
                try:
                    self._recall(offsets)
                except OtherLog:
                    offsets = None
            self._build(offsets)
            tables = tables_match(self.session, LIVE if offsets is not None else SHADOW, SHADOW)
            self._swap(dsn, follow=offsets is not None)
        return Rebuilt(self.events, compared=offsets is not None, swapped=True, tables=tables)

    def _recall(self, offsets: Sequence[int]) -> None:
        for partition, offset in enumerate(offsets):
            if offset > BEFORE_FIRST:
                recall(stored(self.session, partition), self.logs[partition])

    def _begin(self) -> list[int] | None:
        """Fix what is seen of the live tables; where they are of this release, the offset that they stand at,
        by partition.
        """
        execute(self.session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if not exists(self.session):
            return None
        others = execute(
            self.session, f"SELECT count(*) FROM {LIVE}.position WHERE partition >= %s", len(self.logs)
        ).fetchone()
        if others != (0,):
            raise OtherLog("The read models hold other partitions, which this log does not have.")
        if execute(self.session, f"SELECT digest FROM {LIVE}.definition").fetchone() != (DIGEST,):
            return None
        return self._positions(self.session)

    def _positions(self, session: Session) -> list[int] | None:
        """None where no partition has a position."""
        found = [position(session, partition) for partition in range(len(self.logs))]
        if all(one is None for one in found):
            return None
        return [BEFORE_FIRST if one is None else one for one in found]

    def _build(self, until: Sequence[int] | None) -> None:
        create(self.session, SHADOW, keys=False)
        self._load(until)
        add_keys(self.session, SHADOW)
        for table in TABLES:
            # Statistics over whole events would take as long as loading them, and nothing asks for them.
            columns = ", ".join(name for name, kind in table.columns if not kind.startswith("jsonb"))
            execute(self.session, f"ANALYZE {SHADOW}.{table.name} ({columns})")

    def _load(self, until: Sequence[int] | None) -> None:
        """Apply what is in the log behind `last`, through the offsets `until` or to its end."""

        def changes() -> Iterator[tuple[Batch, list[Change]]]:
            for partition, log in enumerate(self.logs):
                last = self.last[partition]
                after = BEFORE_FIRST if last is None else last.offset
                end = until[partition] if until is not None else None
                if end is not None and end <= after:
                    continue
                for batch in batches(partition, _through(log.events(after), end), BATCH):
                    yield batch, changes_of(batch)

        with collector_paused():
            for number, (batch, made) in enumerate(ahead(changes), 1):
                add(self.session, SHADOW, made, fresh=True)
                if number % SETTLE_AFTER == 0:
                    settle(self.session, SHADOW)
                self.last[batch.partition] = batch.records[-1]
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
                    self._load(self._positions(beside))
            execute(session, f"ALTER SCHEMA {LIVE} RENAME TO {OLD}")
        for partition, last in enumerate(self.last):
            offset, digest = (BEFORE_FIRST, "") if last is None else (last.offset, digest_of(last))
            execute(session, f"INSERT INTO {SHADOW}.position VALUES (%s, %s, %s)", partition, offset, digest)
        execute(session, f"ALTER SCHEMA {SHADOW} RENAME TO {LIVE}")
        reporting.replace(session, LIVE, OLD_REPORTING)


def _through(records: Iterator[Record], end: int | None) -> Iterator[Record]:
    """The records up to the offset `end`."""
    return records if end is None else takewhile(lambda record: record.offset <= end, records)

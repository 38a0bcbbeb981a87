"""The projector: follows the events of one partition and keeps the read models up with them.

Each batch is one transaction, and its first statement moves the position from where this projector believes
it to be. One row, or somebody else has moved it: then nothing is changed, and the projector looks again.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

import psycopg

from engine.errors import LogCorrupt
from projections.batches import batches
from projections.database import connect
from projections.layout import LIVE, ensure
from projections.making import make, prepare
from projections.position import EventLog, begin, move, recall
from projections.read_models import changes_of
from projections.tables import Batch

BATCH: Final = 10_000
"""Events in a transaction when there are many to catch up with."""


class _Moved(Exception):
    """Another projector, or a rebuild, has moved the position."""


class Projector:
    """Keeps the read models of one partition. dsn: of their database.   log: where the events are."""

    def __init__(self, dsn: str, log: EventLog, partition: int = 0) -> None:
        """Makes tables that are missing. Raises DatabaseUnavailable, ReadModelsChanged or OtherLog."""
        self.log = log
        self.partition = partition
        self._reading: tuple[int, Iterator[Batch]] | None = None
        self._session = connect(dsn)
        try:
            prepare(self._session)
            ensure(self._session)
            begin(self._session, partition)
            self.offset = recall(self._session, log, partition)
        except BaseException:
            self._session.close()
            raise

    def step(self, limit: int = BATCH) -> int:
        """Apply about `limit` events that the read models lack; returns how many, 0 where there are none."""
        with collector_paused():
            while (batch := self._next(limit)) is not None:
                try:
                    self._apply(batch)
                except _Moved:
                    ensure(
                        self._session
                    )  # what a rebuild by another release has put there is not ours to fill
                    begin(self._session, self.partition)
                    self.offset = recall(self._session, self.log, self.partition)
                    self._reading = None
                except psycopg.errors.DeadlockDetected:
                    # A payment between books has one row, and the other book's partition another projector.
                    self._reading = None
                except BaseException:
                    self._reading = None
                    raise
                else:
                    return len(batch.records)
        return 0

    def _next(self, limit: int) -> Batch | None:
        """The next batch; the reading goes on where it was, so that no page of the log is read twice."""
        reading, self._reading = self._reading, None
        if reading is None or reading[0] != limit:
            reading = None
        batch = None if reading is None else next(reading[1], None)
        if batch is None:
            reading = (limit, batches(self.partition, self.log.events(self.offset), limit))
            batch = next(reading[1], None)
        if batch is not None:
            self._reading = reading
        return batch

    def catch_up(self, limit: int = BATCH) -> int:
        """Apply everything that is in the log; returns how many events that were."""
        done = 0
        while applied := self.step(limit):
            done += applied
        return done

    def close(self) -> None:
        """Give the session back."""
        self._session.close()

    def _apply(self, batch: Batch) -> None:
        last = batch.records[-1]
        try:
            changes = changes_of(batch)
        except Exception as error:
            raise LogCorrupt(
                f"The events behind offset {self.offset} up to {last.offset} cannot be shown: "
                f"{type(error).__name__}: {error}.",
                "Run verify; the read models stay as they were before.",
            ) from error
        with self._session.transaction():
            if not move(self._session, self.partition, self.offset, last):
                raise _Moved
            make(self._session, LIVE, changes)
        self.offset = last.offset


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Without garbage collection: a batch makes no cycles, and looking for them costs a third of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

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
from projections.position import EventLog, Position, ShorterLog, recall
from projections.read_models import changes_of
from projections.store import PostgresStore, Store
from projections.tables import Batch

BATCH: Final = 10_000
"""Events in a transaction when there are many to catch up with."""


PATIENCE: Final = 100
"""Steps in which the log may end before a position that another projector has moved: it saw more of it."""


class _Moved(Exception):
    """Another projector, or a rebuild, has moved the position."""


class Projector:
    """Keeps the read models of one partition. store: where they are, or the database's DSN.   log: where the
    events are.
    """

    def __init__(self, store: Store | str, log: EventLog, partition: int = 0) -> None:
        """Makes tables that are missing. Raises DatabaseUnavailable, ReadModelsChanged or OtherLog."""
        self.log = log
        self.partition = partition
        self._reading: tuple[int, Iterator[Batch]] | None = None
        self._lost = 0
        self._store = PostgresStore(store) if isinstance(store, str) else store
        try:
            self.offset = self._look()
        except BaseException:
            self._store.close()
            raise

    def _look(self) -> int:
        """Where the read models are, which somebody else may have moved or made anew."""
        self._store.ensure()  # what a rebuild by another release has put there is not ours to fill
        self._store.begin(self.partition)
        return recall(self._store.position(self.partition), self.log)

    def step(self, limit: int = BATCH) -> int:
        """Apply about `limit` events that the read models lack; returns how many, 0 where there are none."""
        if self._lost and not self._found():
            return 0
        with collector_paused():
            while (batch := self._next(limit)) is not None:
                try:
                    self._apply(batch)
                except _Moved:
                    self._reading = None
                    if not self._found():
                        return 0
                except psycopg.errors.DeadlockDetected:
                    # A payment between books has one row, and the other book's partition another projector.
                    self._reading = None
                except BaseException:
                    self._reading = None
                    raise
                else:
                    return len(batch.records)
        return 0

    def _found(self) -> bool:
        """Look where somebody else has moved the position. False: that cannot be seen in the log yet."""
        try:
            self.offset = self._look()
        except ShorterLog:
            self._lost += 1
            if self._lost > PATIENCE:
                raise
            return False
        self._lost = 0
        return True

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
        self._store.close()

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
        with self._store.transaction():
            if not self._store.move(self.partition, self.offset, Position.of(last)):
                raise _Moved
            self._store.make(changes)
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

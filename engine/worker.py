"""The worker loop: take what waits, decide it, commit it whole, answer. The one writer of its partition.

The state runs ahead of the log only between deciding a batch and committing it. Where a commit is refused or
uncertain the state is worthless: the worker says so by raising, and whoever hosts it recovers a new one.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence

from book.end_of_day import PACE_MS
from commands.books import clock_jump_ms
from commands.decide import RELEASE
from engine.admission import Admission
from engine.errors import NotInitialised
from engine.fold import Folded
from engine.links import linked
from engine.log.records import BookLog, Clock, Record, wall_clock
from engine.pipeline import Answer, Pipeline
from schemas.books import ReleaseActivated

Answered = Callable[[Sequence[Record], Sequence[Answer]], None]
"""Told, after the commit, what was decided: the records and, for each, its outcome."""

LARGEST_BATCH = 8_000
SLOW_BATCH_S = 0.025
"""A batch that takes longer than this makes the next one smaller, so that nobody waits long behind others."""
IDLE_TIMERS_S = 0.25
PACE_S = PACE_MS / 1_000
"""While a closed day has work left, its slices are asked for that often."""


class Worker:
    """Decides one partition. `batch` limits a micro-batch; None lets it adapt to what comes and how fast."""

    def __init__(
        self,
        log: BookLog,
        folded: Folded | None = None,
        *,
        admission: Admission | None = None,
        answered: Answered | None = None,
        clock: Clock = wall_clock,
        batch: int | None = None,
    ) -> None:
        self.log = log
        self.clock = clock
        self.folded = folded or Folded()
        self.folded.apply(log.events(self.folded.offset))
        if not self.folded.partition.books:
            raise NotInitialised(
                "The log holds no events.",
                "A home that was used before has lost its log: restore it from a backup.",
            )
        self.pipeline = Pipeline(self.folded.partition, admission or Admission())
        self.answered = answered
        self.link = self.folded.link
        self.position = self.folded.partition.position
        self._adapts = batch is None
        self._limit = batch or 1_000
        self._timers_asked = 0.0
        self._works = False
        if self.folded.partition.release != RELEASE:
            # The first commit of a release that decides differently says so; redecide relies on it.
            self.pipeline.announce(ReleaseActivated(release=RELEASE), clock())
            self._commit([])

    def step(self, wait_s: float = 0.0) -> int:
        """Decide and commit one micro-batch; returns how many commands. Waits `wait_s` for the first."""
        records = self.log.commands(
            self.position, self._limit, min(wait_s, PACE_S) if self._works else wait_s
        )
        if not records:
            self._fire_idle(self.clock())
            return 0
        began = time.perf_counter()
        run = self.pipeline.run
        done = 0
        for index, record in enumerate(records):
            while not run(record):
                self._commit(records[done:index])
                done = index
        self._commit(records[done:])
        # What waits behind these was taken no earlier, so timers up to here are nobody's to wait for.
        self._fire_idle(records[-1].time_ms)
        if self._adapts:
            self._adapt(len(records), time.perf_counter() - began)
        return len(records)

    def run(self, stopping: Callable[[], bool], wait_s: float = 0.25) -> None:
        """Work until `stopping()`. Garbage is collected where there is nothing to do, or each 100 batches."""
        gc.collect()
        gc.freeze()
        gc.disable()
        batches = 0
        try:
            while not stopping():
                batches += 1
                if self.step(wait_s) == 0 or batches % 100 == 0:
                    gc.collect(0)
        finally:
            gc.enable()

    def _commit(self, records: Sequence[Record]) -> None:
        outs, answers = self.pipeline.take()
        through = records[-1].offset if records else self.position
        if outs:
            self.link = linked(self.link, outs)
        self.log.commit(outs, through, self.clock())
        self.position = through
        if self.answered is not None and records:
            self.answered(records, answers)

    def _adapt(self, size: int, took_s: float) -> None:
        if took_s > SLOW_BATCH_S and self._limit > 64:
            self._limit //= 2
        elif size == self._limit and took_s < SLOW_BATCH_S / 2:
            self._limit = min(self._limit * 2, LARGEST_BATCH)

    def _fire_idle(self, until_ms: int) -> None:
        """Fire what is due by then in wall books that nobody is writing to."""
        now = time.monotonic()
        if now - self._timers_asked < (PACE_S if self._works else IDLE_TIMERS_S):
            return
        self._timers_asked = now
        self._works = False
        for book in list(self.pipeline.partition.books.values()):
            if book.clock != "wall" or clock_jump_ms(book, until_ms):
                continue
            due = book.timers.next()
            while due is not None and due[0] <= until_ms:
                finished = self.pipeline.fire_due(book, until_ms)
                self._commit([])
                if finished:
                    break
            if self.pipeline.work(book, until_ms):
                self._commit([])
            self._works = self._works or book.end_of_day.due_ms is not None

"""The worker loop: take what waits, decide it, commit it whole, answer. The one writer of its partition.

The state runs ahead of the log only between deciding a batch and committing it. Where a commit is refused or
uncertain the state is worthless: the worker says so by raising, and whoever hosts it recovers a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from book.end_of_day import PACE_MS
from commands.books import clock_jump_ms
from commands.decide import RELEASE
from engine import garbage
from engine.admission import Admission
from engine.backlog import Backlog
from engine.epochs import check_epoch
from engine.errors import NotInitialised
from engine.fold import Folded
from engine.links import linked
from engine.log.records import BookLog, Clock, OverlappedLog, Record, wall_clock
from engine.observer import Observer
from engine.pipeline import Answer, Pipeline
from schemas.books import ReleaseActivated

Answered = Callable[[Sequence[Record], Sequence[Answer]], None]
"""Told, after the commit, what was decided: the records and, for each, its outcome."""


LARGEST_BATCH = 8_000
SLOW_BATCH_S = 0.025
"""A batch that takes longer than this makes the next one smaller, so that nobody waits long behind others."""
IDLE_TIMERS_S = 0.25
GLANCE_S = 0.0005
"""How long new commands are looked for before the outcome of the batch before them is waited for."""
PACE_S = PACE_MS / 1_000
"""While a closed day has work left, its slices are asked for that often."""


class Worker:
    """Decides one partition. `batch` limits a micro-batch; None lets it adapt to what comes and how fast.

    overlapped: the same log, where the next batch is to be decided while it takes the one before. Pages stay
    in order, since one is begun only when the one before is durable; and nobody is answered before that.
    """

    def __init__(
        self,
        log: BookLog,
        folded: Folded | None = None,
        *,
        admission: Admission | None = None,
        answered: Answered | None = None,
        clock: Clock = wall_clock,
        elapsed: Callable[[], float] = time.monotonic,
        batch: int | None = None,
        overlapped: OverlappedLog | None = None,
        backlog: Backlog | None = None,
        observer: Observer | None = None,
    ) -> None:
        """elapsed: seconds that only rise, by which idle timers are paced."""
        assert overlapped is None or overlapped is log, "there is one log"
        self.log = log
        self._overlapped = overlapped
        self._beside = ThreadPoolExecutor(1, "commit") if overlapped is not None else None
        self._committing: tuple[Future[float], _Page] | None = None
        self.clock = clock
        self.elapsed = elapsed
        self.folded = folded or Folded()
        self.folded.apply(log.events(self.folded.offset))
        if not self.folded.partition.books:
            raise NotInitialised(
                "The log holds no events.",
                "A home that was used before has lost its log: restore it from a backup.",
            )
        check_epoch(log, self.folded.partition)
        self.pipeline = Pipeline(self.folded.partition, admission or Admission(), log.place)
        self.answered = answered
        self.backlog = backlog
        self.observer = observer
        self.link = self.folded.link
        self.position = self.folded.partition.position
        self._adapts = batch is None
        self._limit = batch or 1_000
        self._timers_asked = 0.0
        self._works = False
        self._caught_up = False
        if observer is not None:
            observer.began(self.folded.partition)
        if self.folded.partition.release != RELEASE:
            # The first commit of a release that decides differently says so; redecide relies on it.
            self.pipeline.announce(ReleaseActivated(release=RELEASE), clock())
            self._commit([])

    def step(self, wait_s: float = 0.0) -> int:
        """Decide and commit one micro-batch; returns how many commands. Waits `wait_s` for the first."""
        patience_s = min(wait_s, PACE_S) if self._works else wait_s
        if self._committing is not None:
            patience_s = min(patience_s, GLANCE_S)
        records = self.log.commands(self.position, self._limit, patience_s)
        observer = self.observer
        if not records:
            if self._committing is not None:
                self.settle()
                return 0
            self._caught_up = True
            self._fire_idle(self.clock())
            if observer is not None:
                observer.idle(self.position)
            return 0
        began = time.perf_counter()
        pipeline, backlog = self.pipeline, self.backlog
        if backlog is not None:
            pipeline.now_ms = backlog.now_ms(records, self.clock(), fresh=self._caught_up)
            self._caught_up = False
            pipeline.refusing = backlog.crowding(pipeline.partition, records, pipeline.now_ms)
        if observer is not None:
            observer.took(records, len(pipeline.refusing))
        run = pipeline.run
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
        """Work until `stopping()`, as the only worker of the process."""
        with garbage.by_hand():
            self.work(stopping, wait_s)

    def work(self, stopping: Callable[[], bool], wait_s: float = 0.25) -> None:
        """Work until `stopping()`. Garbage is collected where there is nothing to do, or each 100 batches."""
        batches = 0
        try:
            while not stopping():
                batches += 1
                if self.step(wait_s) == 0 or batches % 100 == 0:
                    garbage.young()
            self.settle()
        finally:
            self.close()

    def settle(self) -> None:
        """Wait until everything that was decided is durable, and say so. Raises Fenced or Uncertain."""
        if self._committing is not None:
            done, page = self._committing
            self._committing = None
            self._durable(page, done.result())

    def waits(self) -> bool:
        """Whether a commit is under way whose end nobody has waited for."""
        return self._committing is not None

    def close(self) -> None:
        """Give the thread back that commits; the log is its opener's."""
        if self._beside is not None:
            self._beside.shutdown()

    def _commit(self, records: Sequence[Record]) -> None:
        outs, answers = self.pipeline.take()
        through = records[-1].offset if records else self.position
        if outs:
            self.link = linked(self.link, outs)
        said, self.pipeline.said = self.pipeline.said, {}
        page = _Page(records, answers, len(outs), said, through)
        if self._overlapped is None or self._beside is None:
            began = time.perf_counter()
            self.log.commit(outs, through, self.clock())
            self._durable(page, time.perf_counter() - began)
        else:
            self.settle()
            begun = self._overlapped.begin_commit(outs, through, self.clock())
            self._committing = self._beside.submit(_timed, begun), page
        self.position = through

    def _durable(self, page: _Page, took_s: float) -> None:
        """Tell those who wait for it, or count it."""
        if self.answered is not None and page.records:
            self.answered(page.records, page.answers)
        if self.observer is not None and (page.records or page.events):
            self.observer.committed(len(page.records), page.events, page.said, page.through, took_s)

    def _adapt(self, size: int, took_s: float) -> None:
        if took_s > SLOW_BATCH_S and self._limit > 64:
            self._limit //= 2
        elif size == self._limit and took_s < SLOW_BATCH_S / 2:
            self._limit = min(self._limit * 2, LARGEST_BATCH)

    def _fire_idle(self, until_ms: int) -> None:
        """Fire what is due by then in wall books that nobody is writing to."""
        now = self.elapsed()
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


class _Page(NamedTuple):
    """A commit. events: how many.   said, through: see `Observer.committed`."""

    records: Sequence[Record]
    answers: Sequence[Answer]
    events: int
    said: Mapping[str, int]
    through: int


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

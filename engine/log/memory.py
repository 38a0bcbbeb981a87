"""The log in memory, with faults on order: the twin of the real logs in tests and simulation.

`MemoryLog` keeps the promises of the embedded logs (`engine/log/recorder.py`), checked by the same
contract suite. What survives a crash is in `_Stored`; `reopen` gives the next writer over it.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from engine.errors import DaybookError, EngineStopped, Fenced, Uncertain
from engine.log.faults import Crash, Fault, Faults
from engine.log.partitioning import ONLY, Place
from engine.log.records import BEFORE_FIRST, Clock, Out, Record, wall_clock
from engine.log.waiting import Waiting

__all__ = ["Crash", "Fault", "Faults", "MemoryLog"]


class _Stored:
    """What survives a crash: whole pages, and who may write the next."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.term = 0
        self.pages = 0
        self.commands: list[Record] = []
        self.events: list[Record] = []
        self.next_event = 0
        self.ends: list[int] = []
        """Offset of each page's last event."""


class MemoryLog:
    """`BookLog` and `CommandLog` over lists.

    faults: what goes wrong. control_records: pages leave a gap of one event offset, as Kafka's markers do.
    kept: commands are stored when anyone submits them, as on Kafka; else in the commit that answers them.
    """

    def __init__(
        self,
        *,
        clock: Clock = wall_clock,
        queue_limit: int = 100_000,
        submit_timeout_s: float = 5.0,
        faults: Faults | None = None,
        control_records: bool = False,
        kept: bool = False,
        place: Place = ONLY,
        writer: bool = True,
        _stored: _Stored | None = None,
        _pending: Sequence[Record] = (),
    ) -> None:
        self._clock = clock
        self._queue_limit = queue_limit
        self._submit_timeout_s = submit_timeout_s
        self.faults = faults if faults is not None else Faults()
        self._control_records = control_records
        self._kept = kept
        self.place = place
        self._writer = writer
        self._shown = -1
        self._woken = False
        self._stored = _stored if _stored is not None else _Stored()
        self._over: DaybookError | None = None
        with self._stored.lock:
            if writer:
                self._stored.term += 1
            self._term = self._stored.term
            self._committed = BEFORE_FIRST if kept else _last(self._stored.commands)
        pending = [record for record in _pending if record.offset > self._committed]
        self._waiting = Waiting(self._committed + 1, clock, queue_limit, submit_timeout_s, pending)

    def reopen(self, *, keep_pending: bool = False, faults: Faults | None = None) -> "MemoryLog":
        """The next writer over what is stored; this one is fenced, which it learns when it commits.

        keep_pending: commands that wait are kept at their offsets, as on Kafka; else they are gone, as in the
        embedded log. faults: new ones, or else these go on.
        """
        self._waiting.close("The log was opened by another writer.")
        return self._other(True, faults, self._waiting.copy() if keep_pending else ())

    def reader(self) -> "MemoryLog":
        """A reader of the same pages, such as a projector has."""
        return self._other(False, None, ())

    def show(self, pages: int) -> None:
        """This reader sees so many pages from now on, never fewer than before; all, if it was never told."""
        assert not self._writer, "a writer sees all that is stored"
        self._shown = max(self._shown, pages)

    def _other(self, writer: bool, faults: Faults | None, pending: Sequence[Record]) -> "MemoryLog":
        return MemoryLog(
            clock=self._clock,
            queue_limit=self._queue_limit,
            submit_timeout_s=self._submit_timeout_s,
            faults=faults if faults is not None else self.faults,
            control_records=self._control_records,
            kept=self._kept,
            place=self.place,
            writer=writer,
            _stored=self._stored,
            _pending=pending,
        )

    # --- CommandLog -----------------------------------------------------------------------------------

    def submit(self, commands: Sequence[Out]) -> range:
        """See `CommandLog.submit`."""
        if self._kept:
            return self._keep(commands, self.faults.copies())
        assert self._writer, "a reader of the log never writes"
        return self._waiting.put(commands, self.faults.copies())

    def _keep(self, commands: Sequence[Out], copies: int) -> range:
        stored, time_ms = self._stored, self._clock()
        with stored.lock:
            first = _last(stored.commands) + 1
            offset = first
            for _ in range(copies):
                for out in commands:
                    stored.commands.append(Record(out.key, out.value, offset, time_ms, out.headers))
                    offset += 1
        return range(first, first + len(commands))

    # --- BookLog --------------------------------------------------------------------------------------

    def events(self, after: int) -> Iterator[Record]:
        """See `BookLog.events`."""
        records = _behind(self._stored, self._stored.events, after)
        if self._shown >= 0:
            end = self._stored.ends[min(self._shown, self._stored.pages) - 1] if self._shown else BEFORE_FIRST
            records = records[: bisect_right(records, end, key=_offset)]
        return iter(records)

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        """See `BookLog.commands`."""
        stored = _behind(self._stored, self._stored.commands, after, limit)
        if stored or not self._kept:
            return stored or self._waiting.after(after, limit, wait_s)
        deadline = time.monotonic() + wait_s
        while not stored and not self._woken and time.monotonic() < deadline:
            time.sleep(0.001)
            stored = _behind(self._stored, self._stored.commands, after, limit)
        self._woken = False
        return stored

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        """See `BookLog.commit`; also raises Crash, on order."""
        assert self._writer, "a reader of the log never writes"
        if self._over is not None:
            raise self._over
        assert through >= self._committed, f"the position never moves back: {through} < {self._committed}"
        decided = () if self._kept else self._waiting.through(through)
        if not events and not decided:
            return
        fault = self.faults.of_commit()
        if fault is Fault.CRASH_BEFORE:
            self._end(EngineStopped("The process crashed before a commit."))
            raise Crash(fault.value)
        if fault is Fault.NOT_STORED:
            raise self._end(Uncertain("A commit was not acknowledged."))
        self._store(events, decided, time_ms, taken_over=fault is Fault.FENCED)
        if fault is Fault.CRASH_AFTER:
            self._end(EngineStopped("The process crashed after a commit."))
            raise Crash(fault.value)
        if fault is Fault.LOST_ACK:
            raise self._end(Uncertain("A commit was not acknowledged."))
        self._committed = max(self._committed, through)
        if decided:
            self._waiting.drop(len(decided))

    def begin_commit(self, events: Sequence[Out], through: int, time_ms: int) -> Callable[[], None]:
        """See `OverlappedLog.begin_commit`: nothing is stored before the second half is called."""
        if self._over is not None:
            raise self._over
        return lambda: self.commit(events, through, time_ms)

    def _store(
        self, events: Sequence[Out], decided: Sequence[Record], time_ms: int, *, taken_over: bool
    ) -> None:
        stored = self._stored
        with stored.lock:
            if taken_over:
                stored.term += 1
            if stored.term != self._term:
                raise self._end(Fenced(f"Page {stored.pages} belongs to another writer."))
            offset = stored.next_event
            for out in events:
                stored.events.append(Record(out.key, out.value, offset, time_ms, out.headers))
                offset += 1
            stored.next_event = offset + 1 if self._control_records else offset
            stored.commands.extend(decided)
            stored.ends.append(_last(stored.events))
            stored.pages += 1

    def _end(self, why: DaybookError) -> DaybookError:
        self._over = why
        self._waiting.close("The engine lost its log.")
        return why

    def wake(self) -> None:
        """See `BookLog.wake`."""
        self._woken = True
        self._waiting.wake()

    def close(self) -> None:
        """See `BookLog.close`."""
        self._over = self._over or EngineStopped("The log was closed.")
        self._waiting.close("The engine has stopped.")

    # --- for followers --------------------------------------------------------------------------------

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """Waits until an event behind `after` is stored. False on time-out."""
        deadline = time.monotonic() + timeout_s
        while not (there := self.last_event_offset() > after) and time.monotonic() < deadline:
            time.sleep(0.001)
        return there

    def page_count(self) -> int:
        """Pages stored so far, one a commit."""
        return self._stored.pages

    def commands_behind(self, after: int) -> int:
        """How many commands wait behind `after`."""
        return self._waiting.count_behind(after)

    def events_behind(self, after: int) -> int:
        """How many events are stored behind `after`; with gaps, a few less."""
        return max(0, self.last_event_offset() - after)

    def last_event_offset(self) -> int:
        """Offset of the last stored event, -1 before the first."""
        return _last(self._stored.events)

    def last_command_offset(self) -> int:
        """Offset of the last stored command, -1 before the first."""
        return _last(self._stored.commands)


def _last(records: Sequence[Record]) -> int:
    return records[-1].offset if records else BEFORE_FIRST


def _behind(stored: _Stored, records: list[Record], after: int, limit: int | None = None) -> list[Record]:
    with stored.lock:
        start = bisect_right(records, after, key=_offset)
        return records[start:] if limit is None else records[start : start + limit]


def _offset(record: Record) -> int:
    return record.offset

"""The commands that were submitted to an embedded log and wait to be decided.

A bounded queue from many threads to the one worker. Nothing in it is durable: a command becomes durable
in the commit that holds its outcome. It never reorders, and never gives an offset twice.
"""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from engine.errors import Busy, EngineStopped
from engine.log.records import Clock, Out, Record

MOST_BYTES: Final = 256 << 20
AT_ONCE_BYTES: Final = 64 << 20


class Waiting:
    """limit: commands that may wait. timeout_s: how long `put` waits for room before it raises Busy.

    They also wait only up to `MOST_BYTES`, and are given out up to `AT_ONCE_BYTES`, so that a page stays far
    below what a database takes as one value.
    """

    def __init__(
        self, next_offset: int, clock: Clock, limit: int, timeout_s: float, records: Iterable[Record] = ()
    ) -> None:
        self._records = deque(records)
        self._next = self._records[-1].offset + 1 if self._records else next_offset
        self._clock = clock
        self._limit = limit
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._woken = False
        self._closed = ""
        self._bytes = sum(len(record.value) for record in self._records)

    def put(self, commands: Sequence[Out], copies: int = 1) -> range:
        """Queues the commands side by side and returns their offsets; a batch over the limit waits for an
        empty queue. copies: how often the whole batch is queued (more than 1 simulates duplicate delivery).

        Raises Busy after `timeout_s` without room, EngineStopped after `close`; then none was taken.
        """
        count = len(commands) * copies
        size = sum([len(out.value) for out in commands]) * copies
        with self._lock:
            if not self._room.wait_for(
                lambda: self._fits(count, size) or bool(self._closed), self._timeout_s
            ):
                raise Busy(f"{len(self._records)} commands have waited for {self._timeout_s:g} s.")
            if self._closed:
                raise EngineStopped(self._closed)
            # Under the lock, so that offsets and times rise together.
            first, time_ms = self._next, self._clock()
            offset = first
            append = self._records.append
            for _ in range(copies):
                for out in commands:
                    append(Record(out.key, out.value, offset, time_ms, out.headers))
                    offset += 1
            self._next = offset
            self._bytes += size
            self._arrived.notify()
        return range(first, first + len(commands))

    def _fits(self, count: int, size: int) -> bool:
        if not self._records:
            return True
        return len(self._records) + count <= self._limit and self._bytes + size <= MOST_BYTES

    def after(self, offset: int, limit: int, wait_s: float) -> list[Record]:
        """Up to `limit` waiting commands behind `offset`, without removing them; waits for the first."""
        with self._lock:
            if not self._behind(offset) and wait_s > 0:
                self._arrived.wait_for(
                    lambda: self._behind(offset) or self._woken or bool(self._closed), wait_s
                )
            self._woken = False
            start = len(self._records) - self._behind(offset)
            found = list(islice(self._records, start, start + limit))
            return found if self._bytes <= AT_ONCE_BYTES else up_to(AT_ONCE_BYTES, found)

    def count_behind(self, offset: int) -> int:
        """How many wait behind `offset`."""
        with self._lock:
            return self._behind(offset)

    def _behind(self, offset: int) -> int:
        """How many wait with a greater offset; they are contiguous, so it is a subtraction."""
        return min(len(self._records), max(0, self._next - 1 - offset))

    def through(self, offset: int) -> list[Record]:
        """The waiting commands up to and including `offset`, without removing them."""
        with self._lock:
            assert offset < self._next, f"command {offset} was never submitted"
            return list(islice(self._records, len(self._records) - self._behind(offset)))

    def drop(self, count: int) -> None:
        """Removes the first `count`: they are durable now."""
        with self._lock:
            popleft = self._records.popleft
            for _ in range(count):
                self._bytes -= len(popleft().value)
            self._room.notify_all()

    def wake(self) -> None:
        """Ends a waiting `after`, or the next one."""
        with self._lock:
            self._woken = True
            self._arrived.notify_all()

    def close(self, why: str) -> None:
        """Refuses what comes from now on: every `put`, waiting ones too, raises EngineStopped(why)."""
        with self._lock:
            self._closed = self._closed or why
            self._arrived.notify_all()
            self._room.notify_all()

    def __len__(self) -> int:
        return len(self._records)

    def copy(self) -> list[Record]:
        """All that waits, in order."""
        with self._lock:
            return list(self._records)


def up_to(size: int, records: list[Record]) -> list[Record]:
    """The first of the records, and those behind it that are within so many bytes together."""
    for number, record in enumerate(records):
        size -= len(record.value)
        if size < 0:
            return records[: max(number, 1)]
    return records

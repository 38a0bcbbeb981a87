"""A log that keeps nothing: it has commands, takes what is committed and drops it. The deciding remains."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from engine.log.partitioning import ONLY
from engine.log.records import Out, Record

PER_MS = 100
"""Append times rise by a millisecond every so many records."""


class Unkept:
    """Commands from offset `first` on, appended at `at_ms` and a little later.

    times_s: when the first command was asked for, and then the end of each commit, by `time.perf_counter`.
    """

    place = ONLY

    def __init__(self, commands: Sequence[Out], first: int, at_ms: int) -> None:
        self.times_s: list[float] = []
        self.give(commands, first, at_ms)

    def give(self, commands: Sequence[Out], first: int, at_ms: int) -> None:
        """Have other commands."""
        self._first = first
        self._after = first - 1
        self._records = [
            Record(out.key, out.value, first + number, at_ms + number // PER_MS, out.headers)
            for number, out in enumerate(commands)
        ]

    @property
    def is_over(self) -> bool:
        """Whether all commands are decided."""
        return self._after == self._first + len(self._records) - 1

    def events(self, after: int) -> Iterator[Record]:
        return iter(())

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        if not self.times_s:
            self.times_s.append(time.perf_counter())
        start = after + 1 - self._first
        return self._records[start : start + limit]

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        self._after = through
        self.times_s.append(time.perf_counter())

    def wake(self) -> None:
        """Nobody waits here."""

    def close(self) -> None:
        """Nothing is open."""

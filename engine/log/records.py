"""What the log holds and what it promises: two shapes of record and two protocols.

Offsets: commands and events of a partition each count from 0, and -1 stands before the first. Offsets
rise but may have gaps (Kafka's have), so nothing may be concluded from `offset + 1`.
Nothing here may know a backend.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from engine.log.partitioning import Place

Headers = tuple[tuple[str, bytes], ...]

LINK: Final = "link"
"""Header of a page's last event: SHA-256(previous link + the page's event bytes), 32 bytes."""

BEFORE_FIRST: Final = -1
"""The offset to read after in order to read everything."""

Clock = Callable[[], int]
"""Milliseconds since 1970, UTC."""


def wall_clock() -> int:
    """The machine's clock, in ms since 1970, UTC. It may jump; book time is kept by the book."""
    return time.time_ns() // 1_000_000


class Out(msgspec.Struct, frozen=True, gc=False):
    """A record on its way into the log. key: the book's id. value: the encoded message. Headers in order."""

    key: bytes
    value: bytes
    headers: Headers = ()


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record of the log. offset: its place. time_ms: when the log took it (append time), ms since 1970."""

    key: bytes
    value: bytes
    offset: int
    time_ms: int
    headers: Headers = ()


class BookLog(Protocol):
    """One partition, opened by its one writer. All methods but `wake` belong to the worker's thread."""

    @property
    def place(self) -> Place:
        """Which partition it is, of how many."""
        ...

    def events(self, after: int) -> Iterator[Record]:
        """Every stored event with offset > after, in order; ends at the last whole page, so poll again."""
        ...

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        """Up to `limit` commands with offset > after: stored ones first, then those that wait to be decided.

        Waits up to `wait_s` for the first and never for the rest; empty on time-out or `wake`.
        Asking again with the same `after` gives the same commands: only `commit` moves on.
        """
        ...

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        """All or nothing: `events` and the commands up to and including `through` become durable together.

        events: may be empty. through: the position after this commit, the same as before where no command
        was decided (a slice of timers). time_ms: the events' append time.
        Raises Fenced (another writer owns the log) or Uncertain (it may have happened); after either the
        object refuses further commits.
        """
        ...

    def wake(self) -> None:
        """Makes a waiting `commands` call, or else the next one, return at once. Callable from any thread."""
        ...

    def close(self) -> None:
        """Gives the log back. Waiting commands that were not committed are gone."""
        ...


class OverlappedLog(BookLog, Protocol):
    """A log that takes a page in two steps, so that the worker can decide the next one in between."""

    def begin_commit(self, events: Sequence[Out], through: int, time_ms: int) -> Callable[[], None]:
        """The first half of `commit`, in the worker's thread. What is returned is the second: it makes the
        page durable or raises as `commit` does, is called once, in any thread, and before the next page is
        begun.
        """
        ...


class Measured(Protocol):
    """How far a reader is behind, for metrics and for bounding what waits. For the thread that reads."""

    def commands_behind(self, after: int) -> int:
        """About how many commands wait behind `after`."""
        ...

    def events_behind(self, after: int) -> int:
        """About how many events are behind `after`."""
        ...


class CommandLog(Protocol):
    """Where commands go in. Callable from any thread."""

    def submit(self, commands: Sequence[Out]) -> range:
        """Takes all commands, in order, side by side, or none; returns their offsets.

        Raises Busy (the queue stayed full) or EngineStopped; then none was taken.
        """
        ...

"""The host of derivations: what follows from the events of a partition, in another topic, exactly once.

A derivation is a pure function of the events in their order, which may keep a state folded from them. The
public outcomes are one, alerts another. It may be killed anywhere, because the output itself says how far it
goes: the last record of each page carries the place of the newest event that was looked at. Who takes over

1. claims the output, which fences whoever wrote it before (its writer's own transactional id),
2. reads the last record of the output,
3. goes on behind the event that it names.

Events since then that led to nothing are read again, which does no harm. The place is the event's offset and
a digest of its page's link, so that a log that was restored from a mirror, with other offsets, is recognised:
the event is looked for. Output that is ahead of the events is refused.

It is never a digest of the event itself: the output may be public, and who knows all of an event but what
only staff may know could try the few things that it can be. A link has all of history in it.

In memory, for tests and simulation, both ends are a `MemoryLog`: read the events from a `reader()` of the
engine's log, and give a log of its own for the output, whose faults on order (crash, lost acknowledgement,
fenced) are those of the derivation's commits:

    derived = MemoryLog(clock=clock, faults=faults)
    host = Host(Publisher(), log.reader(), in_memory(derived))
    host.step()                                  # may raise Crash, Fenced, Uncertain: drop it, then
    derived = derived.reopen()                   # fences; a new host goes on
    host = Host(Publisher(), log.reader(), in_memory(derived))
    [record.value for record in derived.events(BEFORE_FIRST)]

Nothing here may know what a derivation is for, or a broker.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from engine.errors import LogCorrupt
from engine.links import link_of
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, Record
from schemas.catalogue import digest

THROUGH: Final = "through"
"""Header of the last record of a page of output: offset and mark (`_mark`) of the newest event behind it."""
AT_ONCE: Final = 10_000
"""Events of a page of output, about: pages of events are never parted."""
WITHIN_S: Final = 0.02
"""For how long events are gathered for it, about."""


class Events(Protocol):
    """The events of a partition: any `BookLog`."""

    def events(self, after: int) -> Iterator[Record]:
        """See `BookLog.events`."""
        ...


class Output(Protocol):
    """A partition of another topic, claimed by its one writer."""

    def newest(self) -> Record | None:
        """The last record that is stored, None where there is none."""
        ...

    def append(self, outs: Sequence[Out], time_ms: int) -> None:
        """All or nothing. Raises Fenced or Uncertain; after either the object refuses."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Derivation(Protocol):
    """What follows from events. A pure function of them, in their order, whatever is asked for at once.

    One without a state lets `begin` return `position`, and `kept` do nothing.
    """

    def begin(self, position: int) -> int:
        """Asked once, first: the offset behind which it wants the events.

        position: the output has all that follows from events up to there. At or before it is where its state
        stands, from a snapshot or from nothing; what it derives again up to `position` is dropped. Behind it
        only where `kept` told so before the snapshot was written.
        """
        ...

    def derive(self, events: Sequence[Record]) -> Sequence[Out]:
        """What follows from these events: whole pages, each event once, in order."""
        ...

    def kept(self, through: int) -> None:
        """All that follows from events up to this offset is durable: a snapshot may say so."""
        ...


class Host:
    """Runs one derivation over one partition. Raises, from anywhere, what the logs raise: after `Fenced` and
    `Uncertain` drop it; a new one recovers.

    position: offset of the newest event whose consequences are durable.
    """

    def __init__(
        self,
        derivation: Derivation,
        log: Events,
        output: Output,
        *,
        at_once: int = AT_ONCE,
        told: Callable[[int, int], None] | None = None,
    ) -> None:
        """Recovers. output: claimed already.   told: in each step, of how many events, and of `position`.

        Raises LogCorrupt where the output is ahead of the events.
        """
        self._derivation = derivation
        self._log = log
        self._output = output
        self._at_once = at_once
        self._told = told
        newest = output.newest()
        self.position = BEFORE_FIRST if newest is None else _place(log, newest)
        self._read = derivation.begin(self.position)
        while self._read < self.position:
            self._again()

    def step(self) -> int:
        """Derive from what is new, a bounded part of it, and make it durable; returns how many events."""
        page = self._pages(self._at_once)
        if page:
            self._derive(page)
        if self._told is not None:
            self._told(len(page), self.position)
        return len(page)

    def _derive(self, page: Sequence[Record]) -> None:
        outs = list(self._derivation.derive(page))
        newest = page[-1]
        if outs:
            last = outs[-1]
            mark = (THROUGH, b"%d %s" % (newest.offset, _mark(newest).encode()))
            outs[-1] = Out(last.key, last.value, (*last.headers, mark))
            self._output.append(outs, newest.time_ms)
        self._read = self.position = newest.offset
        self._derivation.kept(newest.offset)

    def _again(self) -> None:
        """Fold what the state lacks: what follows from it is there already."""
        behind = [one for one in self._pages(self._at_once) if one.offset <= self.position]
        if not behind:
            raise LogCorrupt(f"The events up to offset {self.position} are not all there.")
        self._derivation.derive(behind)
        self._read = behind[-1].offset

    def _pages(self, least: int) -> list[Record]:
        return next_pages(self._log.events(self._read), least, WITHIN_S)


def next_pages(coming: Iterator[Record], least: int, within_s: float = math.inf) -> list[Record]:
    """The next events: whole pages of so many events or some more, or all that there are.

    within_s: after this it ends with the page that it is in. Where pages come all the time, a log in Kafka
    may have no end for long: what is there must not wait for what is still to come.
    """
    found: list[Record] = []
    over = time.monotonic() + within_s
    for record in coming:
        found.append(record)
        if (
            record.headers
            and link_of(record.headers) is not None
            and (len(found) >= least or time.monotonic() >= over)
        ):
            return found
    while found and link_of(found[-1].headers) is None:
        found.pop()  # of a page that is not all there yet
    return found


def _mark(record: Record) -> str:
    """By what the last event of a page is known again, here and in a mirror; empty for any other event."""
    link = link_of(record.headers) if record.headers else None
    return "" if link is None else digest(link)


def _place(log: Events, newest: Record) -> int:
    """The offset of the event that the output goes up to. Raises LogCorrupt where there is no such event."""
    mark = next((value for name, value in newest.headers if name == THROUGH), b"")
    told, _, mark = mark.partition(b" ")
    if not told.isdigit() or not mark:
        raise LogCorrupt(
            f"The last record of the output, at offset {newest.offset}, does not say how far it goes: "
            "somebody else has written there.",
            "Only the derivation may write its topic. Remove the record, or make the topic anew: "
            "all of it is derived again.",
        )
    offset, sought = int(told), mark.decode()
    try:
        there = next(iter(log.events(offset - 1)), None)
    except LogCorrupt:  # it does not go so far
        there = None
    if there is not None and there.offset == offset and _mark(there) == sought:
        return offset
    for record in log.events(BEFORE_FIRST):  # a log from a mirror has other offsets
        if _mark(record) == sought:
            return record.offset
    raise LogCorrupt(
        f"The output goes up to an event at offset {offset} that the log does not have.",
        "The log has lost events: restore it. Where that is not possible, and everybody who has read the "
        "output knows, make its topic anew: all of it is derived again.",
    )


class Written(Protocol):
    """A log for its one writer: a `MemoryLog`, or a `RecorderLog`."""

    def events(self, after: int) -> Iterator[Record]: ...
    def last_event_offset(self) -> int: ...
    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None: ...
    def close(self) -> None: ...


class _InLog:
    def __init__(self, log: Written) -> None:
        self._log = log

    def newest(self) -> Record | None:
        return next(iter(self._log.events(self._log.last_event_offset() - 1)), None)

    def append(self, outs: Sequence[Out], time_ms: int) -> None:
        self._log.commit(outs, BEFORE_FIRST, time_ms)

    def close(self) -> None:
        self._log.close()


def in_memory(log: MemoryLog) -> Output:
    """A log in memory, open for writing, that keeps nothing but this output."""
    return _InLog(log)


def in_log(log: Written) -> Output:
    """As `in_memory`, in a log that lasts: where there is no broker, what is derived has one of its own."""
    return _InLog(log)

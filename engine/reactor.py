"""The host of reactors: follows the events of logs and submits the commands that a reactor answers with.

A reactor is what lets one event bring about another where no single book can decide it: the relay between
books, an adapter of a payment rail. It may be killed anywhere, because nothing durable is its own:

- What it still owes stands in the books. On a start the host folds each log (from the newest snapshot), asks
  the reactor what each book has it owe, and follows the events from there. There is no position to lose.
- A command's id is derived from the event that it answers, so what was asked before gets its first outcome
  again. Whatever may be asked after its id is forgotten must also be told apart by the book itself.
- What is asked stays asked until its outcome stands in the log. A lost command, a lost answer and an engine
  that died look the same, which is silence, and after a while it is asked again.

Nothing here may know what a reactor is for.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from threading import Event as Told
from typing import Final, Protocol

import msgspec

from book.state import Book
from engine.errors import Busy, EngineStopped, EngineUnreachable, LogCorrupt, OutcomeUnknown
from engine.fold import Folded
from engine.log.records import BookLog, Clock, Out, Record, wall_clock
from engine.observer import UNHEARD, Progress
from engine.places import Place
from engine.snapshots import load_newest
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event
from schemas.rejections import CommandRejected

AT_ONCE: Final = 10_000
"""How many events of a log are looked at before what they led to is submitted."""
SILENCE_MS: Final = 5_000
"""How long after a command was sent its silence means that it got lost; doubled with every time."""
LONGEST_SILENCE_MS: Final = 300_000

ASKED_AGAIN: frozenset[str] = frozenset({"clock_unconfirmed", "busy", "not_permitted"})
"""Reasons after which the same command is asked again later: nothing was decided, and things change."""

Submit = Callable[[Sequence[Out]], object]


class Reactor(Protocol):
    """Answers events with commands. Pure apart from its own memory, which it can lose at any time.

    Every command's id is derived from the event or obligation that it answers, and its issue time too: asked
    again, it is the same to the byte.
    """

    def owed(self, book: Book) -> Sequence[Command]:
        """Asked of every book, once, before any event: what its state says is still to be done."""
        ...

    def react(self, event: Event) -> Sequence[Command]:
        """What the event calls for. Every event of every log comes once, a book's in order."""
        ...

    def due(self, now_ms: int) -> Sequence[Command]:
        """What the time calls for. Asked in every step, with the host's clock."""
        ...


class _Asked(msgspec.Struct):
    """A command whose outcome is not in the log yet. times: how often it was sent."""

    out: Out
    times: int = 0
    next_ms: int = 0


class _Followed:
    """A log, and the offset of the newest event that was looked at."""

    __slots__ = ("log", "offset", "progress")

    def __init__(self, log: BookLog, offset: int, progress: Progress) -> None:
        self.log = log
        self.offset = offset
        self.progress = progress


class Host:
    """Runs one reactor over any number of logs; which log a command goes to is the business of `submit`.

    logs: each open as a reader.   submit: sends commands; what it raises of `LOST` is silence.
    snapshots: of each log, where the newest are found; without them all of a log is folded.
    progress: of each log, who counts.
    """

    def __init__(
        self,
        reactor: Reactor,
        logs: Sequence[BookLog],
        submit: Submit,
        *,
        snapshots: Sequence[Path | Place] = (),
        progress: Sequence[Progress] = (),
        clock: Clock = wall_clock,
    ) -> None:
        self.reactor = reactor
        self._submit = submit
        self._clock = clock
        self._logs: list[_Followed] = []
        self._asked: dict[tuple[str, str, str], _Asked] = {}
        for number, log in enumerate(logs):
            folded = (load_newest(snapshots[number], log) if snapshots else None) or Folded()
            folded.apply(log.events(folded.offset))
            self._logs.append(_Followed(log, folded.offset, progress[number] if progress else UNHEARD))
            for book in folded.partition.books.values():
                self._ask(reactor.owed(book))

    @property
    def waiting(self) -> int:
        """How many commands have no outcome in the log yet."""
        return len(self._asked)

    def step(self) -> int:
        """Look at what is new, submit what it calls for; returns how many events there were."""
        count = 0
        for followed in self._logs:
            before = count
            for record in islice(followed.log.events(followed.offset), AT_ONCE):
                event = _event_of(record)
                self._hear(event)
                self._ask(self.reactor.react(event))
                followed.offset = record.offset
                count += 1
            followed.progress.step(count - before, followed.offset)
        now_ms = self._clock()
        self._ask(self.reactor.due(now_ms))
        self._send(now_ms)
        return count

    def run(self, told: Told, wait: Callable[[], object]) -> None:
        """Work until told to stop. wait: called where there was nothing to do; returns after a moment."""
        gc.collect()
        gc.freeze()
        while not told.is_set():
            if self.step() == 0:
                wait()

    def _ask(self, commands: Iterable[Command]) -> None:
        for command in commands:
            key = (command.book, command.actor, command.id)
            if key not in self._asked:
                self._asked[key] = _Asked(Out(command.book.encode(), encode(command)))

    def _hear(self, event: Event) -> None:
        """An outcome ends the asking, unless it says that nothing was decided."""
        asked = self._asked.get((event.book, event.actor, event.command)) if event.command else None
        if asked is None:
            return
        if not (isinstance(event, CommandRejected) and event.reason in ASKED_AGAIN):
            del self._asked[event.book, event.actor, event.command]

    def _send(self, now_ms: int) -> None:
        """Send what is new and what was met with silence. A clock that was set back makes nothing wait."""
        ready = [
            one for one in self._asked.values() if not now_ms < one.next_ms <= now_ms + LONGEST_SILENCE_MS
        ]
        for one in ready:
            one.next_ms = now_ms + min(SILENCE_MS << min(one.times, 10), LONGEST_SILENCE_MS)
            one.times += 1
        if ready:
            try:
                self._submit([one.out for one in ready])
            except LOST:
                return


def _event_of(record: Record) -> Event:
    try:
        event: Event = decode_event(record.value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LogCorrupt(f"The event at offset {record.offset} cannot be decoded: {error}.") from error
    return event


LOST = (Busy, EngineStopped, EngineUnreachable, OutcomeUnknown)
"""What sending may raise: whether the commands were taken is found in the log, or they are sent again."""

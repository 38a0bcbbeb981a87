"""The pipeline of a history that is not written: what it decides stands nowhere but in the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import force_setattr

from book.evolve import evolve
from book.state import Book, Partition
from commands.decision import Steps
from engine.admission import Admission
from engine.log.partitioning import Place
from engine.log.records import Headers
from engine.pipeline import Pipeline
from schemas.message import Event


class Unwritten(Pipeline):
    """The pipeline, but nothing is written: the events are kept as they are.

    follows: makes take place what follows at once on what a timer did, before the next one fires.
    """

    follows: Callable[[Sequence[Event]], list[Event]] | None = None

    def __init__(self, partition: Partition, admission: Admission, place: Place) -> None:
        super().__init__(partition, admission, place)
        self.events: list[Event] = []

    def keep(self, key: bytes, event: Event, headers: Headers = ()) -> bytes:
        """Keep the event, unwritten."""
        self.events.append(event)
        return b""

    def _fire(self, book: Book, at_ms: int, timer: str) -> None:
        count = len(self.events)
        super()._fire(book, at_ms, timer)
        if self.follows is not None:
            self.events += self.follows(self.events[count:])

    def taken(self) -> tuple[list[Event], int]:
        """The events since the last call, and how many of them, the last ones, answer the last command."""
        events, self.events = self.events, []
        many = len(self.answers[-1]) if self.answers else 0
        self.answers.clear()
        return events, many


def happens(partition: Partition, book: Book, steps: Steps) -> list[Event]:
    """What nobody has said takes place in the book, at its time."""
    events = []
    for event in steps:
        for name, value in (("seq", book.seq + 1), ("book", book.id), ("at", book.at)):
            force_setattr(event, name, value)
        evolve(partition, event)
        events.append(event)
    return events

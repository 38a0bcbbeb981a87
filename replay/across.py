"""Payments between books of different partitions: their events, put into an order in which they can come.

Partitions are read one after another, so an answer may be read long before what it answers. An event waits
until the one that it refers to was read; what still waits at the end refers to nothing, and says so then.
"""

from __future__ import annotations

from collections.abc import Callable

from replay.crossings import CrossBook
from replay.ledger import Found
from schemas.crossbook import (
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
)
from schemas.message import Event

_Step = tuple[str, str, str, int]
"""What has happened to a payment: the step, its two books, its number."""


class Across:
    """Stands before a `CrossBook`. placed: gives a `Found` that remembers which event is looked at now."""

    def __init__(self, crossings: CrossBook, placed: Callable[[], Found]) -> None:
        self._crossings = crossings
        self._placed = placed
        self._reached: set[_Step] = set()
        self._waiting: dict[_Step, list[tuple[Event, Found]]] = {}

    def check(self, event: Event, found: Found) -> None:
        """Compare the event with what the other book has recorded before, as soon as that was read."""
        needs, _ = _steps(event)
        if needs is not None and needs not in self._reached:
            self._waiting.setdefault(needs, []).append((event, self._placed()))
        else:
            self._take(event, found)

    def finish(self) -> None:
        """After the last partition: what waits for an event that is not there is looked at as it is."""
        while self._waiting:
            needs = next(iter(self._waiting))
            for event, found in self._waiting.pop(needs):
                self._take(event, found)

    def _take(self, event: Event, found: Found) -> None:
        ready = [(event, found)]
        while ready:
            one, told = ready.pop(0)
            self._crossings.check(one, told)
            needs, reaches = _steps(one)
            if needs is not None:
                self._reached.discard(needs)  # who else refers to it does so for a second time
            if reaches is not None:
                self._reached.add(reaches)
                ready += self._waiting.pop(reaches, ())


def _steps(event: Event) -> tuple[_Step | None, _Step | None]:
    """The step that the event refers to, and the one that it brings."""
    match event:
        case CrossBookSent():
            return None, ("sent", event.book, event.to_book, event.number)
        case CrossBookReceived() | CrossBookRefused():
            pair = event.from_book, event.book, event.number
            return ("sent", *pair), ("answered", *pair)
        case CrossBookCompleted() | CrossBookReleased():
            pair = event.book, event.to_book, event.number
            return ("answered", *pair), ("settled", *pair)
        case CrossBookAcknowledged():
            return ("settled", event.from_book, event.book, event.number), None
        case _:
            return None, None

"""An engine over a memory log for tests of what comes in: submit commands, get their outcomes, look at the
log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from book.state import Book
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import Out, Record, wall_clock
from engine.worker import Worker
from schemas.books import Administrator
from schemas.catalogue import decode_event
from schemas.message import Event

ADMIN = "admin"


class Intake:
    """submit: the outcome of each command, in order.   events: the log's, as a reader gives them."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        begin(self.log, [Administrator(person=f"person-{ADMIN}", user=ADMIN)], wall_clock())
        self._answers: list[tuple[bytes, ...]] = []
        self.worker = Worker(self.log, answered=lambda _, answers: self._answers.extend(answers))

    def submit(self, outs: Sequence[Out]) -> list[tuple[bytes, ...]]:
        self._answers.clear()
        self.log.submit(outs)
        while self.worker.step():
            pass
        return list(self._answers)

    def events(self, after: int) -> Iterator[Record]:
        return self.log.events(after)

    def told(self) -> list[Event]:
        """Every event of the log, decoded."""
        return [decode_event(record.value) for record in self.log.events(-1)]

    def book(self, id: str) -> Book:
        return self.worker.folded.partition.books[id]

    def balances(self, id: str) -> dict[str, int]:
        return {account: one.booked for account, one in self.book(id).accounts.items()}

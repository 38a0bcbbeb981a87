"""For tests of what comes in: small files, and an engine to take them that shows its log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from book.digest import partition_digest
from book.state import Book
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import Out, Record, wall_clock
from engine.worker import Worker
from gateway.imports import Imported, import_file
from gateway.mapping import Mapping, mapping_of
from schemas.books import Administrator
from schemas.catalogue import decode_event
from schemas.message import Event

ADMIN = "admin"


class Intake:
    """submit: the outcome of each command, in order.   events: the log's, as a reader gives them."""

    def __init__(self, log: MemoryLog | RecorderLog | None = None) -> None:
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

    def digest(self) -> str:
        return partition_digest(self.worker.folded.partition)

    def book(self, id: str) -> Book:
        return self.worker.folded.partition.books[id]

    def balances(self, id: str) -> dict[str, int]:
        return {account: one.booked for account, one in self.book(id).accounts.items()}


def mapping(**changes: Any) -> Mapping:
    """A mapping for the small files below, with changed parts: `mapping(time={...})`."""
    given: dict[str, Any] = {
        "book": {"id": "shop", "currency": "EUR"},
        "columns": {"debit": "from", "credit": "to", "amount": "value", "time": "day"},
        "time": {"format": "steps", "start": "2025-01-01"},
        "accounts": {"file": "accounts.csv", "columns": {"account": "id", "opening_balance": "balance"}},
    }
    for part, settings in changes.items():
        given[part] = given[part] | settings if isinstance(settings, dict) and part in given else settings
    return mapping_of(given)


def small(folder: Path, rows: str, accounts: str = "id,balance\na,100.00\nb,5.5\nc,0\n") -> Path:
    """A CSV and its accounts file."""
    (folder / "accounts.csv").write_text(textwrap.dedent(accounts))
    file = folder / "rows.csv"
    file.write_text(textwrap.dedent(rows))
    return file


def take(file: Path, how: Mapping, intake: Intake | None = None, **options: Any) -> tuple[Imported, Intake]:
    intake = intake or Intake()
    return import_file(file, how, ADMIN, intake.submit, intake, **options), intake

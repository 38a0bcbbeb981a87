"""The commands of an import, each at its place. The order is the same for the same files and mapping: the
book; per account its currency's funding account, its party, itself and its opening balance; the transfers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.log.records import Out
from gateway.csv_file import CsvFile, Row
from gateway.history import OPENING, Place, id_of
from gateway.mapping import Mapping
from schemas.books import REPEAT_CAP, Administrator, OpenBook
from schemas.catalogue import encode
from schemas.message import Command
from schemas.money import EXPONENTS


class BadRow(NamedTuple):
    """A row that no command could be made of. file: its name.   line: of the file, from 1."""

    file: str
    line: int
    reason: str


class Step(NamedTuple):
    """One command of an import, and which line of which file it comes from."""

    place: Place
    out: Out
    file: str
    line: int


class Envelope(NamedTuple):
    """What all commands of an import have in common."""

    mark: str
    book: str
    actor: str

    def step(
        self,
        kind: Callable[..., Command],
        place: Place,
        at_ms: int,
        source: tuple[str, int],
        fields: dict[str, object],
    ) -> Step:
        """A command at its place. Its fields were checked when they were read from the row."""
        command = kind(
            id=id_of(self.mark, place), book=self.book, actor=self.actor, issued_at_ms=at_ms, **fields
        )
        return Step(place, Out(self.book.encode(), encode(command)), *source)


def opening(
    envelope: Envelope, mapping: Mapping, at_ms: int, administrator: Administrator, commands: int
) -> Step:
    """The command that opens the book. commands: about how many follow; the book may have to remember them
    all.
    """
    fields: dict[str, object] = {
        "name": mapping.book.name or mapping.book.id,
        "currency": mapping.book.currency,
        "administrators": (administrator,),
        "time_zone": mapping.book.time_zone,
        "clock": mapping.book.clock,
        "repeat_cap": max(REPEAT_CAP, commands),
    }
    return envelope.step(OpenBook, (OPENING, 0, 0), at_ms, ("", 0), fields)


def known_currency(text: str) -> str:
    """A currency's code. Raises ValueError where there is none such."""
    code = text.strip()
    if code not in EXPONENTS:
        raise ValueError(f"{code[:40]!r} is no ISO 4217 currency")
    return code


def optional_column(file: CsvFile, wanted: str | int | None, setting: str) -> int | None:
    """The place of a column that need not be named."""
    return None if wanted is None else file.column(wanted, setting)


def fields_of(row: Row) -> list[str]:
    """A row's fields. Raises ValueError with the reason where it could not be split."""
    if row.fields is None:
        raise ValueError(row.problem)
    return row.fields

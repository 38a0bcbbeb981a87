"""What the log already knows of an import: how far it got and what its rows were answered.

The log is the only memory of an import. Ids that the book has forgotten still stand in its events, so going
on behind the last answer is right however long ago that was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from engine.log.records import BEFORE_FIRST, Record

Place = tuple[int, int, int]
"""Where a command stands in an import: stage, row of the stage's file, and which of that row's commands."""

NOWHERE: Place = (-1, 0, 0)
OPENING, ACCOUNTS, ROWS = range(3)
_STAGES = "bar"
_SUFFIX = re.compile(r"([bar])(\d+)\.(\d+)", re.ASCII)


class ReadsEvents(Protocol):
    """The part of a log that is needed here."""

    def events(self, after: int) -> Iterator[Record]:
        """Every stored event with offset > after, in order."""
        ...


def id_of(mark: str, place: Place) -> str:
    """The id of an import's command. It names the place, so that equal rows are different commands."""
    stage, row, part = place
    return f"{mark}-{_STAGES[stage]}{row}.{part}"


def place_of(mark: str, command: str) -> Place | None:
    """The place of a command in the import with this mark, None where it is none of its commands."""
    if not command.startswith(mark):
        return None
    found = _SUFFIX.fullmatch(command, len(mark) + 1)
    return (_STAGES.index(found[1]), int(found[2]), int(found[3])) if found else None


class Past(msgspec.Struct):
    """last: the place answered last.   opened: whether the book is there, and with which `clock`.

    now_ms: the book's time.   at_ms: what it was before the import's first answer.
    accounts, parties: those of the book that others made; the import leaves them as they are.
    opened_here, accepted, by_reason, setup_by_reason: what the import has been answered so far.
    """

    last: Place = NOWHERE
    opened: bool = False
    clock: str = ""
    at_ms: int = 0
    now_ms: int = 0
    accounts: set[str] = msgspec.field(default_factory=set)
    parties: set[str] = msgspec.field(default_factory=set)
    opened_here: int = 0
    accepted: int = 0
    by_reason: dict[str, int] = msgspec.field(default_factory=dict)
    setup_by_reason: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether the import has any answer."""
        return self.last != NOWHERE

    @property
    def rows_answered(self) -> int:
        """The row of the main file that was answered last, 0 for none."""
        return self.last[1] if self.last[0] == ROWS else 0


class _Glance(msgspec.Struct):
    """As much of an event as is needed here; decoding skips the rest."""

    type: str
    book: str = ""
    command: str = ""
    reason: str = ""
    clock: str = ""
    account: str = ""
    party: str = ""
    at: int = 0


glance = msgspec.json.Decoder(_Glance).decode


def past_of(log: ReadsEvents, book: str, mark: str) -> Past:
    """Read the whole log for what happened to the import with this mark in this book."""
    return _past(log.events(BEFORE_FIRST), book, mark)


def _past(records: Iterable[Record], book: str, mark: str) -> Past:
    past, key = Past(), book.encode()
    for record in records:
        if record.key != key:
            continue
        event = glance(record.value)
        if event.book != book:
            continue
        if event.type == "BookOpened":
            past.opened, past.clock, past.at_ms = True, event.clock, event.at
        past.now_ms = event.at
        place = place_of(mark, event.command)
        if place is None:
            if event.type == "AccountOpened":
                past.accounts.add(event.account)
            elif event.type == "PartyRegistered":
                past.parties.add(event.party)
            if not past.begun:
                past.at_ms = event.at
        elif place > past.last:
            _count(past, place, event)
    return past


def _count(past: Past, place: Place, event: _Glance) -> None:
    past.last = place
    rejected = event.type == "CommandRejected"
    if place[0] == ROWS:
        if rejected:
            past.by_reason[event.reason] = past.by_reason.get(event.reason, 0) + 1
        else:
            past.accepted += 1
    elif rejected:
        past.setup_by_reason[event.reason] = past.setup_by_reason.get(event.reason, 0) + 1
    elif event.type == "AccountOpened":
        past.opened_here += 1

"""Which stored command an outcome answers, where commands were carried over from where they were decided.

In the log's own epoch, `cause` is the command's offset. What earlier epochs answered was counted elsewhere:
of those commands, `EpochBegun` says how many stand at the beginning of what is stored now, and the first of
them; their order is that of their outcomes. Others are not stored here any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from engine.epochs import epoch_id_of
from engine.errors import LogCorrupt
from engine.log.moved import begun
from engine.log.records import BEFORE_FIRST, Record
from schemas.books import SystemBookOpened
from schemas.catalogue import decode_event

Place = Literal["offset", "next", "gone"]
"""Where an outcome's command is: at the offset of its cause, next in order, or not stored here."""


class Events(Protocol):
    """What is read of a log."""

    def events(self, after: int) -> Iterator[Record]: ...


class Carried:
    """Asked of every outcome, once, in the order of the log."""

    def __init__(self, log: Events) -> None:
        """Reads all of a log that has been moved, once, and only the first event of any other."""
        self._epoch = 0
        self._first = 0, BEFORE_FIRST
        self._left = 0
        self._begun = False
        self._moved = _has_moved(log)
        if self._moved:
            for record in log.events(BEFORE_FIRST):
                event = begun(record)
                if event is not None:
                    self._epoch += 1
                    self._left = event.carried
                    self._first = event.carried_epoch, event.carried_cause

    def place(self, epoch: int, cause: int) -> Place:
        """Where the command is that this outcome answers."""
        if not self._moved or epoch >= self._epoch:
            return "offset"
        self._begun = self._begun or (epoch, cause) == self._first
        if self._begun and self._left:
            self._left -= 1
            return "next"
        return "gone"


def _has_moved(log: Events) -> bool:
    """Whether the log is kept elsewhere than where it began. Offsets in a file stay what they were."""
    place = epoch_id_of(log)
    if not place:
        return False
    try:
        first = next(iter(log.events(BEFORE_FIRST)), None)
        event = decode_event(first.value) if first is not None else None
    except (LogCorrupt, ValueError):  # for whoever reads on to say
        return False
    return isinstance(event, SystemBookOpened) and event.epoch_id != place

"""Where an event stands in a log that was moved: a copy keeps what is said, and no offsets.

Who remembers a place in the log, as the follower does by what it signed, finds it again by what no copy
changes, and only where an epoch has begun behind it: in a log that was not moved, a place that is gone is a
history that was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from book.state import SYSTEM_BOOK
from engine.log.records import BEFORE_FIRST, Record
from schemas.books import EpochBegun

_BEGUN: Final = b'"EpochBegun"'
_SYSTEM: Final = SYSTEM_BOOK.encode()


class Events(Protocol):
    """What is read of a log to find a place in it."""

    def events(self, after: int) -> Iterator[Record]:
        """Every stored event behind `after`."""
        ...


def begun(record: Record) -> EpochBegun | None:
    """The event, if it begins an epoch."""
    if record.key != _SYSTEM or _BEGUN not in record.value:
        return None
    try:
        return _decode(record.value)
    except msgspec.ValidationError:  # the words stand in another event
        return None


_decode = msgspec.json.Decoder(EpochBegun).decode


def moved_to(log: Events, is_it: Callable[[Record], bool]) -> Record | None:
    """An event of an earlier epoch where it stands now; None if it is not there or no epoch began behind it.

    is_it: knows it by what no copy changes. All of the log is read.
    """
    found: Record | None = None
    for record in log.events(BEFORE_FIRST):
        if found is None:
            if is_it(record):
                found = record
        elif begun(record) is not None:
            return found
    return None

"""End of day: the work that a closed business date leaves, done in slices while the book goes on deciding.

A day is closed by one small event, `BusinessDateRolled`. What follows is state: which days are not finished,
which step of the oldest one is being done, and how far. No slice depends on when it runs.
"""

from __future__ import annotations

from schemas.message import Date, Event


class EndOfDayAdvanced(Event, tag="EndOfDayAdvanced"):
    """A slice of a closed day's work is done.

    step: the one that comes next.   done: how much of it is done.   next_ms: book time of the next slice.
    """

    business_date: Date
    step: str
    done: int
    next_ms: int


class DayFinished(Event, tag="DayFinished"):
    """All of a closed day's work is done. next_ms: book time of the next day's first slice; None for none."""

    business_date: Date
    next_ms: int | None


COMMANDS = ()
EVENTS = (EndOfDayAdvanced, DayFinished)

"""What is decided after a business date has closed: its work, step by step, a slice at a time.

Add a step by adding its function to `STEPS`: it is told the book, the day and how far it is, and answers with
the events of one slice and how far it is then. Slices are small, since a command may have to wait for one.
"""

from __future__ import annotations

from collections.abc import Callable

from book.end_of_day import PACE_MS
from book.state import Book
from commands import fees_due, interest, months, positions
from commands.decision import Steps
from commands.slices import Slice
from schemas.end_of_day import DayFinished, EndOfDayAdvanced
from schemas.message import Date

Step = Callable[[Book, Date, int], Slice]
STEPS: dict[str, Step] = {
    "month_end": months.add_up,  # first, while little has moved since
    "fees": fees_due.charge,  # with the day as value date, so before its interest
    "accrual": interest.accrue,
    "capitalisation": interest.capitalise,
    "revaluation": positions.revalue,
}
"""In the order in which they are done for each day."""


def next_slice(book: Book, rest: str, at_ms: int) -> Steps:
    """The next slice of the oldest day that is not finished. A step with nothing to do takes no slice."""
    work = book.end_of_day
    day = Date.fromordinal(work.pending[0])
    names = list(STEPS)
    begun = names.index(work.step) if work.step else 0
    for index in range(begun, len(names)):
        name = names[index]
        events, done = STEPS[name](book, day, work.done if index == begun else 0)
        yield from events
        if done is not None:
            yield EndOfDayAdvanced(business_date=day, step=name, done=done, next_ms=at_ms + PACE_MS)
            return
        if events and index + 1 < len(names):
            yield EndOfDayAdvanced(business_date=day, step=names[index + 1], done=0, next_ms=at_ms + PACE_MS)
            return
    yield DayFinished(business_date=day, next_ms=at_ms + PACE_MS if len(work.pending) > 1 else None)

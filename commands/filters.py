"""Whether a line of a document is about a movement."""

from __future__ import annotations

from book.plans import OnlyPlan
from book.state import Account, Book
from commands.calendar import local_minute


def segment_of(book: Book, account: Account) -> str:
    """The segment of the party whose account it is."""
    return book.parties[account.party].segment if account.party else ""


def concerns(
    book: Book, only: OnlyPlan, account: Account, amount: int, channel: str, corridor: str, at_ms: int
) -> bool:
    """Whether a movement is among those that a line is about, as far as its kind and currency do not say."""
    if only.channels and channel not in only.channels:
        return False
    if only.corridors and corridor not in only.corridors:
        return False
    if only.segments and segment_of(book, account) not in only.segments:
        return False
    if amount < only.least or (only.most and amount > only.most):
        return False
    if only.from_minute < 0:
        return True
    minute = local_minute(book.time_zone, at_ms)
    if only.from_minute < only.to_minute:
        return only.from_minute <= minute < only.to_minute
    return minute >= only.from_minute or minute < only.to_minute

"""Every handler in one place: what decides each command, and what each kind of timer does when it fires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.books import BUSINESS_DATE_TIMER
from book.state import Book
from commands import access, accounts, books, parties, transfers
from commands.decision import Decision
from schemas.message import Event

RELEASE = 1
"""The version of deciding. It goes up with every change that could give a command another outcome."""

DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    **books.DECIDE,
    **access.DECIDE,
    **parties.DECIDE,
    **accounts.DECIDE,
    **transfers.DECIDE,
}

FIRE: dict[str, Callable[[Book, str, int], Event]] = {
    BUSINESS_DATE_TIMER: books.roll_business_date,
    "block": accounts.expire_block,
}
"""By the kind of timer, which is its id up to the first line feed. A firing always answers with an event that
removes or reschedules its timer."""


def fire(book: Book, timer: str, due_ms: int) -> Event:
    """The event of a timer that fires at `due_ms`."""
    kind, _, rest = timer.partition("\n")
    return FIRE[kind](book, rest, due_ms)

"""What a decision is, and the few questions that several capabilities ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from book.state import Book
from schemas.message import Command, Event
from schemas.money import EXPONENTS
from schemas.rejections import Rejection, reject

Steps = Iterator[Event]
"""Events one by one, each decided on the state that its predecessors left: the pipeline applies each before
it asks for the next. They are one outcome, appended together. What is refused is refused before the first.
"""
Decision = Event | tuple[Event, ...] | Steps | Rejection
"""The outcome: one event, several that happen together, several steps, or the reason why not."""
Decide = Callable[[Book, Any, int], Decision]

HANDLERS: dict[type, Decide] = {}
"""What decides each command, for commands that carry others; `commands.decide` fills it."""


def decide(book: Book, command: Command, at_ms: int) -> Decision:
    """Decide a command on the book as it is. A bug in one decision must not stop the book: as nothing was
    touched yet, its answer is `internal_error`.
    """
    try:
        return HANDLERS[type(command)](book, command, at_ms)
    except Exception as error:  # noqa: BLE001 - see above
        return reject("internal_error", restricted=f"{type(error).__name__}: {error}"[:500])


def knows_currency(book: Book, currency: str) -> bool:
    """Whether the code is an ISO 4217 currency or an asset registered in the book."""
    return currency in EXPONENTS or currency in book.assets


def digits_of(book: Book, currency: str) -> int:
    """Decimal places of a currency or registered asset that the book knows."""
    digits = EXPONENTS.get(currency)
    return book.assets[currency] if digits is None else digits

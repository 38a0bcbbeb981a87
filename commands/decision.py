"""What a decision is, and the few questions that several capabilities ask."""

from __future__ import annotations

from book.state import Book
from schemas.message import Event
from schemas.money import EXPONENTS
from schemas.rejections import Rejection

Decision = Event | tuple[Event, ...] | Rejection
"""The outcome: one event, several that happen together, or the reason why not."""


def knows_currency(book: Book, currency: str) -> bool:
    """Whether the code is an ISO 4217 currency or an asset registered in the book."""
    return currency in EXPONENTS or currency in book.assets

"""The shape of every reader of a feature."""

from __future__ import annotations

from collections.abc import Callable

from book.state import Book
from commands.movements import Movement
from schemas.risk import Origin

Read = Callable[[Book, Movement, Origin | None, int], int]
"""The value, by book, movement, where it was asked for and book time; `NONE` where it has none."""

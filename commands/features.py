"""What a feature of a movement is worth at the moment it is decided. It only looks; `evolve` counts."""

from __future__ import annotations

from collections.abc import Callable

from book.state import Book
from commands.calendar import local_minute
from commands.movements import Movement
from schemas.features import FEATURES
from schemas.risk import Origin

Read = Callable[[Book, Movement, Origin | None, int], int]
"""The value, by book, movement, where it was asked for and book time; `NONE` where it has none."""


def _amount(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return movement.amount


def _local_minute(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return local_minute(book.time_zone, at_ms)


READ: dict[str, Read] = {
    "amount": _amount,
    "local_minute": _local_minute,
}
assert READ.keys() == FEATURES.keys(), "every feature that is named can be read"

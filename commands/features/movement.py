"""Features of the movement itself: its amount, when it is asked for, what it takes of the balance."""

from __future__ import annotations

from book.state import Book
from commands.calendar import local_date, local_minute
from commands.features.reading import Read
from commands.movements import Movement
from schemas.features import NONE
from schemas.fields import INT64_MAX
from schemas.money import EXPONENTS
from schemas.risk import Origin

NIGHT_ENDS_MINUTE = 6 * 60
SATURDAY = 5


def amount(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return movement.amount


def minute(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return local_minute(book.time_zone, at_ms)


def night(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return 1 if local_minute(book.time_zone, at_ms) < NIGHT_ENDS_MINUTE else 0


def weekend(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return 1 if local_date(book.time_zone, at_ms).weekday() >= SATURDAY else 0


def _round(units: int) -> Read:
    def is_round(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        digits = EXPONENTS.get(movement.currency)
        if digits is None:
            digits = book.assets.get(movement.currency, 0)
        return 0 if movement.amount % (units * 10**digits) else 1

    return is_round


def share_of_balance(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    account = movement.account
    there = account.booked - account.held
    return min(movement.amount * 1_000 // there, INT64_MAX) if there > 0 else NONE


def overdraft_use(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    account = movement.account
    if not account.overdraft:
        return NONE
    below = movement.amount - account.booked + account.held
    return min(below * 1_000 // account.overdraft, INT64_MAX) if below > 0 else 0


READ: dict[str, Read] = {
    "amount": amount,
    "local_minute": minute,
    "night": night,
    "weekend": weekend,
    "round_hundreds": _round(100),
    "round_thousands": _round(1_000),
    "share_of_balance": share_of_balance,
    "overdraft_use": overdraft_use,
}

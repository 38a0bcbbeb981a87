"""The texts of a CSV as what they mean: times in exact milliseconds, amounts in exact minor units. Never a
float.

Every function raises ValueError whose message is the reason that a bad row is reported with.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from commands.calendar import midnight_ms, zone
from gateway.mapping import AmountPart, TimePart
from schemas.fields import INT64_MAX, LATEST_MS, NEW_ID
from schemas.money import EXPONENTS, parse_minor

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS = datetime.timedelta(milliseconds=1)
_UNIT_MS = {"hour": 3_600_000, "minute": 60_000, "second": 1_000, "millisecond": 1}
_LONGEST_NUMBER = 40
_NEW_ID = re.compile(NEW_ID, re.ASCII)

ReadTime = Callable[[str], int]
ReadAmount = Callable[[str, str], int]


def time_reader(part: TimePart, book_zone: str) -> ReadTime:
    """From a time's text to Unix milliseconds. What is finer than a millisecond is cut off."""
    zone_name = part.time_zone or book_zone
    if part.format == "steps":
        assert part.start is not None, "the mapping asks for a start"
        read = _steps(part.start, part.unit, part.every, zone_name)
    else:
        read = _clock_times(part.format, zone_name)
    # Rows are mostly sorted, so the newest time is the likeliest.
    last_text, last_ms = "", -1

    def cached(text: str) -> int:
        nonlocal last_text, last_ms
        if text != last_text or last_ms < 0:
            last_ms = _in_range(read(text.strip()), text)
            last_text = text
        return last_ms

    return cached


def _in_range(at_ms: int, text: str) -> int:
    if not 0 <= at_ms <= LATEST_MS:
        raise ValueError(f"the time {text[:_LONGEST_NUMBER]!r} is before 1970 or after 9998")
    return at_ms


def _steps(start: datetime.date, unit: str, every: int, zone_name: str) -> ReadTime:
    start_ms = midnight_ms(zone_name, start)

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise ValueError(f"the time {text[:_LONGEST_NUMBER]!r} is not a whole number of steps")
        steps = int(text) * every
        if unit != "day":
            return start_ms + steps * _UNIT_MS[unit]
        try:
            return midnight_ms(zone_name, start + datetime.timedelta(days=steps))
        except OverflowError:
            raise ValueError(f"the time {text!r} is after 9998") from None

    return read


def _clock_times(format: str, zone_name: str) -> ReadTime:
    local = zone(zone_name)
    example = "ISO 8601, such as 2025-01-31T12:00:00Z" if format == "iso" else format

    def read(text: str) -> int:
        try:
            if format == "iso":
                moment = datetime.datetime.fromisoformat(text)
            else:
                moment = datetime.datetime.strptime(text, format)  # noqa: DTZ007 - the zone follows
        except ValueError:
            raise ValueError(f"the time {text[:_LONGEST_NUMBER]!r} is not {example}") from None
        try:
            return ((moment if moment.tzinfo else moment.replace(tzinfo=local)) - _EPOCH) // _MS
        except OverflowError:
            raise ValueError(f"the time {text[:_LONGEST_NUMBER]!r} is before 1970 or after 9998") from None

    return read


def amount_reader(part: AmountPart) -> ReadAmount:
    """From an amount's text and its currency to minor units, signed, within int64."""
    point, thousands, minor = part.decimal_point, part.thousands, part.units == "minor"
    grouped = re.compile(
        rf"[+-]?(\d+|\d{{1,3}}({re.escape(thousands)}\d{{3}})+)({re.escape(point)}\d+)?", re.ASCII
    )

    def read(text: str, currency: str) -> int:
        plain = text.strip()
        if len(plain) > _LONGEST_NUMBER:
            raise ValueError(f"the amount {plain[:_LONGEST_NUMBER]!r}... is too long")
        if thousands or point != ".":
            if grouped.fullmatch(plain) is None:
                raise ValueError(f"the amount {plain!r} is not written as the mapping says")
            plain = plain.replace(thousands, "").replace(point, ".")
        digits = EXPONENTS[currency]
        if minor:
            plain = _pointed(plain, digits if part.decimals is None else part.decimals)
        elif part.decimals is not None and len(plain.partition(".")[2]) > part.decimals:
            raise ValueError(f"the amount {text!r} has more than {part.decimals} decimal places")
        try:
            amount = parse_minor(plain, digits)
        except ValueError as error:
            raise ValueError(f"the amount {error}") from None
        if abs(amount) > INT64_MAX:
            raise ValueError(f"the amount {plain!r} does not fit into 64 bits")
        return amount

    return read


def _pointed(text: str, places: int) -> str:
    """A whole number of minor units with the point where it belongs: ("1205", 2) is "12.05"."""
    sign, number = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if not (number.isascii() and number.isdigit()):
        raise ValueError(f"the amount {text!r} is not a whole number of minor units")
    number = number.rjust(places + 1, "0")
    return f"{sign}{number[:-places]}.{number[-places:]}" if places else sign + number


def id_text(text: str, prefix: str, what: str) -> str:
    """An id: 1 to 64 characters with its prefix, without NUL."""
    if not text:
        raise ValueError(f"the {what} is empty")
    if len(text) + len(prefix) > 64:
        raise ValueError(
            f"the {what} {text[:_LONGEST_NUMBER]!r}... is longer than {64 - len(prefix)} characters"
        )
    return prefix + plain_text(text, what, 64)


def new_id_text(text: str, prefix: str, what: str) -> str:
    """An id that something new can have: letters, digits and . _ : @ / + - after a letter or digit."""
    whole = id_text(text, prefix, what)
    if _NEW_ID.fullmatch(whole) is None:
        raise ValueError(f"the {what} {whole!r} may hold only letters, digits and . _ : @ / + -")
    return whole


def plain_text(text: str, what: str, most: int) -> str:
    """A text of at most `most` characters, without NUL."""
    if len(text) > most:
        raise ValueError(f"the {what} is longer than {most} characters")
    if "\0" in text:
        raise ValueError(f"the {what} holds the character NUL")
    return text

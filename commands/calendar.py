"""Days and midnights of a time zone, from the tz database that is pinned with our dependencies.

The machine's own tz files are never read, so that a book decides the same everywhere.
"""

from __future__ import annotations

import datetime
import functools
import importlib.resources
from zoneinfo import ZoneInfo

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS = datetime.timedelta(milliseconds=1)
_SECOND = datetime.timedelta(seconds=1)
_MINUTE = datetime.timedelta(minutes=1)
_QUARTER_MS = 900_000


@functools.cache
def zone(name: str) -> ZoneInfo | None:
    """The zone of that name, or None where the tz database has none."""
    parts = name.split("/")
    if not all(part and part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in parts):
        return None
    file = importlib.resources.files("tzdata").joinpath("zoneinfo", *parts)
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        try:
            return ZoneInfo.from_file(stream, key=name)
        except ValueError:
            return None


def local_date(time_zone: str, at_ms: int) -> datetime.date:
    """The date in the zone at that moment."""
    return _date_at(time_zone, at_ms // 1_000)


@functools.lru_cache(maxsize=1_024)
def _date_at(time_zone: str, second: int) -> datetime.date:
    """Offsets are whole seconds, so a second lies in one day; a bulk of payments asks for the same one."""
    return (EPOCH + second * _SECOND).astimezone(_known(time_zone)).date()


def local_text(time_zone: str, at_ms: int) -> str:
    """The moment as people in the zone write it: 2026-03-01 08:00."""
    return (EPOCH + at_ms * _MS).astimezone(_known(time_zone)).strftime("%Y-%m-%d %H:%M")


def midnight_ms(time_zone: str, day: datetime.date) -> int:
    """When the day begins in the zone, Unix milliseconds."""
    return (datetime.datetime.combine(day, datetime.time(), _known(time_zone)) - EPOCH) // _MS


def local_minute(time_zone: str, at_ms: int) -> int:
    """Minutes since midnight by the clocks of the zone at that moment, 0 to 1439."""
    return (at_ms // 60_000 + _offset_minutes(time_zone, at_ms // _QUARTER_MS)) % 1_440


@functools.lru_cache(maxsize=1_024)
def _offset_minutes(time_zone: str, quarter: int) -> int:
    """How far the zone is ahead of UTC in a quarter of an hour; clocks change at the end of one."""
    at = EPOCH + quarter * _QUARTER_MS * _MS
    offset = at.astimezone(_known(time_zone)).utcoffset()
    assert offset is not None, "a zone has an offset at every moment"
    return offset // _MINUTE


def _known(time_zone: str) -> ZoneInfo:
    found = zone(time_zone)
    assert found is not None, "a book's time zone was looked up when it was opened"
    return found

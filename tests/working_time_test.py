"""Working time: the count of days against a twin that looks at every minute, in zones whose clocks change."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.banking_days import BankingDays
from book.state import Book
from commands.working_time import MINUTE_MS, due_ms, working_ms
from schemas.documents.case_policy import Hours, minute_of
from tests.story import given as given_story
from tests.story import story

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut")
"""Lord Howe changes by half an hour; Santiago and Beirut at midnight, so that a day begins at 01:00."""
HOUR_MS = 3_600_000
CHANGES = [
    int(datetime.datetime(2024, month, day, tzinfo=datetime.UTC).timestamp() * 1_000)
    for month, day in ((3, 10), (3, 31), (4, 7), (9, 8), (10, 6), (10, 27), (11, 3))
]
"""Days on which clocks change somewhere; the twin looks at what lies around them."""
WEEKENDS = BankingDays((5, 6), (datetime.date(2024, 4, 1).toordinal(),))


def is_open(hours: Hours, calendar: BankingDays | None, at_ms: int) -> bool:
    """By the clock on the wall. Only for hours that begin and end when no clock changes."""
    local = datetime.datetime.fromtimestamp(at_ms / 1_000, ZoneInfo(hours.time_zone))
    if calendar is not None and not calendar.has(local.date()):
        return False
    minute = local.hour * 60 + local.minute
    return minute_of(hours.opens) <= minute < (minute_of(hours.closes) or 1_440)


def naive_ms(hours: Hours, calendar: BankingDays | None, from_ms: int, to_ms: int) -> int:
    """Every minute looked at; `from_ms` and `to_ms` are whole minutes."""
    return MINUTE_MS * sum(is_open(hours, calendar, at) for at in range(from_ms, to_ms, MINUTE_MS))


def the_book(calendar: BankingDays | None) -> Book:
    given_story()
    if calendar is not None:
        story().book.in_force.calendars["weekdays"] = calendar
    return story().book


BOOKS = (the_book(None), the_book(WEEKENDS))
TIMES = st.sampled_from(["00:00", "04:00", "08:30", "09:00", "12:00", "17:45", "23:00"])
"""None of them on a clock's change, which is at 24, 1, 2 or 3 o'clock."""


@pytest.mark.by_hand
@settings(max_examples=120, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    opens=TIMES,
    closes=TIMES,
    calendar=st.sampled_from([None, WEEKENDS]),
    around=st.sampled_from(CHANGES),
    from_m=st.integers(-2 * 1_440, 1_440),
    length_m=st.integers(0, 4 * 1_440),
)
def test_working_time_is_what_a_look_at_every_minute_finds(
    zone: str, opens: str, closes: str, calendar: BankingDays | None, around: int, from_m: int, length_m: int
) -> None:
    if (minute_of(closes) or 1_440) - minute_of(opens) < 60:
        opens, closes = "08:30", "17:45"
    book = BOOKS[calendar is not None]
    hours = Hours(
        time_zone=zone, opens=opens, closes=closes, calendar=None if calendar is None else "weekdays"
    )
    begin = around + from_m * MINUTE_MS
    end = begin + length_m * MINUTE_MS
    expected = naive_ms(hours, calendar, begin, end)
    assert working_ms(book, hours, begin, end) == expected
    # And back: so much later is that moment, or the one at which the last of it passed.
    due = due_ms(book, hours, begin, expected)
    assert due <= end
    assert naive_ms(hours, calendar, begin, due) == expected
    assert expected == 0 or is_open(hours, calendar, due - MINUTE_MS)


ALWAYS = Hours(time_zone="UTC")
HOURS = Hours(time_zone="Europe/Berlin", opens="08:00", closes="18:00", calendar="weekdays")


def berlin(text: str) -> int:
    """A moment by the clocks of Berlin."""
    local = datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return int(local.timestamp() * 1_000)


@pytest.mark.parametrize(
    ("begins", "hours", "due"),
    [
        ("2024-03-28 17:30", 1, "2024-03-29 08:30"),
        ("2024-03-29 17:30", 1, "2024-04-02 08:30"),  # a weekend, and Easter Monday
        ("2024-03-30 12:00", 20, "2024-04-03 18:00"),
        ("2024-10-25 17:00", 2, "2024-10-28 09:00"),  # clocks change in between
        ("2024-03-28 06:00", 10, "2024-03-28 18:00"),
        ("2024-03-28 18:00", 0, "2024-03-28 18:00"),
    ],
)
def test_what_is_due_is_due_in_working_time(begins: str, hours: int, due: str) -> None:
    assert due_ms(BOOKS[1], HOURS, berlin(begins), hours * HOUR_MS) == berlin(due)


def test_a_day_on_which_clocks_change_has_23_hours_or_25() -> None:
    always = Hours(time_zone="Europe/Berlin")
    spring, autumn = berlin("2024-03-31 00:00"), berlin("2024-10-27 00:00")
    assert due_ms(BOOKS[0], always, spring, 24 * HOUR_MS) == berlin("2024-04-01 01:00")
    assert due_ms(BOOKS[0], always, autumn, 24 * HOUR_MS) == berlin("2024-10-27 23:00")
    day = Hours(time_zone="Europe/Berlin", opens="00:00", closes="12:00")
    assert working_ms(BOOKS[0], day, spring, berlin("2024-04-01 00:00")) == 11 * HOUR_MS
    assert working_ms(BOOKS[0], day, autumn, berlin("2024-10-28 00:00")) == 13 * HOUR_MS


@pytest.mark.parametrize(
    ("opens", "closes", "spring", "autumn"), [("02:30", "12:00", 8.5, 10.5), ("00:30", "02:30", 2, 3)]
)
def test_an_hour_that_is_not_there_or_twice_is_defined(
    opens: str, closes: str, spring: float, autumn: float
) -> None:
    """In spring 02:30 is read as the clock was before, so it is 03:30; in autumn hours open with the first
    02:30 and close with the second.
    """
    hours = Hours(time_zone="Europe/Berlin", opens=opens, closes=closes)
    for day, expected in (("2024-03-31", spring), ("2024-10-27", autumn)):
        evening = berlin(f"{day} 23:00")
        assert working_ms(BOOKS[0], hours, berlin(f"{day} 00:00"), evening) == expected * HOUR_MS


def test_nothing_is_due_after_the_end_of_time() -> None:
    late = due_ms(BOOKS[0], ALWAYS, berlin("9998-12-30 00:00"), 120_000 * MINUTE_MS)
    assert late == due_ms(BOOKS[0], ALWAYS, late, 1)

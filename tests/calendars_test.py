"""Banking days: worked examples of dates, conventions and cut-offs, and calendars that make no sense."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from commands.calendars import (
    add_banking_days,
    adjusted,
    execution_date,
    is_banking_day,
    next_banking_day,
    previous_banking_day,
)
from schemas.documents.calendars import Convention
from schemas.message import Date
from tests.story import Said, book, given, rejected, story, then, when
from tests.terms_words import document

TARGET: dict[str, Any] = {
    "name": "TARGET",
    "holidays": [
        {"date": "2024-03-29", "name": "Good Friday"},
        {"date": "2024-04-01", "name": "Easter Monday"},
        {"date": "2024-05-01", "name": "Labour Day"},
        {"date": "2024-12-25", "name": "Christmas Day"},
        {"date": "2024-12-26"},
        {"date": "2025-01-01"},
    ],
}


def calendar(name: str = "target", *, version: int = 1, **body: Any) -> Said:
    return document("calendar", name, {**TARGET, **body}, version)


def day(text: str) -> Date:
    return datetime.date.fromisoformat(text)


def ms(text: str) -> int:
    """A moment in UTC."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("wanted", "convention", "found"),
    [
        ("2024-05-15", "following", "2024-05-15"),  # a Wednesday stays
        ("2024-05-18", "following", "2024-05-20"),  # Saturday to Monday
        ("2024-05-18", "preceding", "2024-05-17"),  # Saturday to Friday
        ("2024-03-29", "following", "2024-04-02"),  # Good Friday, a weekend, Easter Monday
        ("2024-03-29", "modified_following", "2024-03-28"),  # that would be April
        ("2024-03-30", "modified_following", "2024-03-28"),
        ("2024-05-01", "modified_following", "2024-05-02"),  # the same month still
        ("2024-05-01", "preceding", "2024-04-30"),
        ("2024-06-30", "modified_following", "2024-06-28"),  # a Sunday at the end of a month
        ("2024-12-25", "following", "2024-12-27"),
        ("2024-02-29", "following", "2024-02-29"),  # a Thursday
    ],
)
def test_where_conventions_put_a_date(wanted: str, convention: Convention, found: str) -> None:
    given(calendar())
    assert adjusted(story().book, "target", day(wanted), convention) == day(found)


def test_banking_days_are_counted_over_holidays() -> None:
    given(calendar())
    count = [add_banking_days(story().book, "target", day("2024-03-28"), n) for n in range(4)]
    assert count == [day(one) for one in ("2024-03-28", "2024-04-02", "2024-04-03", "2024-04-04")]
    assert add_banking_days(story().book, "target", day("2024-03-30"), 1) == day("2024-04-03")


def test_a_weekend_is_what_the_calendar_says() -> None:
    given(calendar("gulf", weekend=["friday", "saturday"], holidays=[]), calendar("all", weekend=[]))
    found = story().book
    assert not is_banking_day(found, "gulf", day("2024-05-17"))
    assert is_banking_day(found, "gulf", day("2024-05-19"))
    assert is_banking_day(found, "all", day("2024-05-19"))
    assert not is_banking_day(found, "all", day("2024-12-25"))
    assert is_banking_day(found, "", day("2024-12-25"))


def test_the_end_of_time_is_a_banking_day() -> None:
    given(calendar())
    assert next_banking_day(story().book, "target", Date.max) == Date.max
    assert previous_banking_day(story().book, "target", Date.min) == Date.min


@pytest.mark.parametrize(
    ("asked", "wanted", "found"),
    [
        ("2024-05-15T13:59", None, "2024-05-15"),  # 15:59 in Berlin
        ("2024-05-15T14:00", None, "2024-05-16"),  # 16:00 is too late
        ("2024-05-17T14:00", None, "2024-05-20"),  # on a Friday: Monday
        ("2024-05-18T14:00", None, "2024-05-20"),  # on a Saturday the cut-off has no meaning
        ("2024-05-15T14:00", "2024-05-15", "2024-05-16"),
        ("2024-05-15T14:00", "2024-06-01", "2024-06-03"),  # a Saturday
        ("2024-01-15T14:59", None, "2024-01-15"),  # 15:59 in winter
        ("2024-01-15T15:00", None, "2024-01-16"),
        ("2024-05-15T22:30", None, "2024-05-16"),  # half past midnight in Berlin
        ("2024-10-25T14:00", None, "2024-10-28"),  # the clocks go back on that weekend
        ("2024-10-28T14:59", None, "2024-10-28"),
        ("2024-10-28T15:00", None, "2024-10-29"),
    ],
)
def test_the_day_on_which_a_payment_leaves(asked: str, wanted: str | None, found: str) -> None:
    given(book(time_zone="Europe/Berlin"), calendar())
    asks = None if wanted is None else day(wanted)
    assert execution_date(story().book, "target", "16:00", ms(asked), asks) == day(found)


def test_without_a_cut_off_it_leaves_until_midnight() -> None:
    given(book(time_zone="Europe/Berlin"), calendar())
    assert execution_date(story().book, "target", None, ms("2024-05-15T21:59")) == day("2024-05-15")
    assert execution_date(story().book, "", None, ms("2024-05-18T22:00")) == day("2024-05-19")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"weekend": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]},
            "weekend: one day of the week at least is a banking day",
        ),
        ({"weekend": ["sunday", "sunday"]}, "weekend[1]: sunday stands there before"),
        (
            {"holidays": [{"date": "2024-05-01"}, {"date": "2024-05-01"}]},
            "holidays[1].date: 2024-05-01 stands there before",
        ),
        (
            {"holidays": [{"date": "2024-05-02"}, {"date": "2024-05-01"}]},
            "holidays[1].date: 2024-05-01 comes before 2024-05-02",
        ),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(body: dict[str, Any], detail: str) -> None:
    given()
    when(calendar(**body))
    then(rejected("document_invalid", detail=detail))


_DAYS = st.dates(Date(2024, 1, 1), Date(2025, 12, 31))


@drawn(
    _DAYS,
    st.sets(st.sampled_from(range(7)), max_size=6),
    st.sets(_DAYS, max_size=40),
    st.sampled_from(["following", "modified_following", "preceding"]),
)
def test_conventions_against_a_list_of_all_days(
    wanted: Date, weekend: set[int], holidays: set[Date], convention: Convention
) -> None:
    names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    body: dict[str, Any] = {
        "weekend": [names[one] for one in sorted(weekend)],
        "holidays": [{"date": one.isoformat()} for one in sorted(holidays)],
    }
    given(calendar(**body))
    every = [Date.fromordinal(one) for one in range(Date(2023, 11, 1).toordinal(), 740_000)]
    banking = [one for one in every if one.weekday() not in weekend and one not in holidays]
    later, earlier = min(one for one in banking if one >= wanted), max(o for o in banking if o <= wanted)
    stays = convention == "following" or (later.year, later.month) == (wanted.year, wanted.month)
    expected = earlier if convention == "preceding" or not stays else later
    assert adjusted(story().book, "target", wanted, convention) == expected

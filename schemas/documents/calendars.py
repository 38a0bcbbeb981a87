"""Calendars: which days are banking days, for rails and for orders that repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem
from schemas.fields import Text
from schemas.message import Date, Value

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Convention = Literal["following", "modified_following", "preceding"]
"""Where a date goes that is no banking day: to the next one; the same unless that is in another month, and
then to the one before; or to the one before.
"""
MOST_HOLIDAYS = 5_000


class Holiday(Value):
    """A day that is no banking day."""

    date: Date
    name: Text = ""


class Calendar(Document):
    """Banking days are all that are neither on a weekend nor holidays. holidays: in order of their dates."""

    name: Text
    weekend: Annotated[tuple[Weekday, ...], Meta(max_length=7), at.MaxLen(7)] = ("saturday", "sunday")
    holidays: Annotated[tuple[Holiday, ...], Meta(max_length=MOST_HOLIDAYS), at.MaxLen(MOST_HOLIDAYS)] = ()

    def problems(self) -> Iterator[Problem]:
        """Weeks without a banking day, days that stand twice, and dates that are out of order."""
        for index, day in enumerate(self.weekend):
            if day in self.weekend[:index]:
                yield Problem(f"weekend[{index}]", f"{day} stands there before")
        if len(set(self.weekend)) == 7:
            yield Problem("weekend", "one day of the week at least is a banking day")
        for index, (before, holiday) in enumerate(zip(self.holidays, self.holidays[1:], strict=False), 1):
            if holiday.date == before.date:
                yield Problem(f"holidays[{index}].date", f"{holiday.date} stands there before")
            elif holiday.date < before.date:
                yield Problem(f"holidays[{index}].date", f"{holiday.date} comes before {before.date}")

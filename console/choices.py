"""What people type, made into what was meant; where it cannot be, one sentence says why."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Sequence

from book.state import SYSTEM_BOOK
from engine.errors import WrongUse


def book_named(named: str | None, books: Sequence[str]) -> str:
    """The book that was named, or the only one. Raises WrongUse: one that is not there would look empty."""
    if named is None:
        return the_only(books)
    if named not in books and named != SYSTEM_BOOK:
        raise WrongUse(f"There is no book {named}.", "Leave --book out to see which there are.")
    return named


def the_only(books: Sequence[str]) -> str:
    """The book that was meant where none was named. Raises WrongUse where there is not exactly one."""
    if not books:
        raise WrongUse("There is no book yet.", "Open one with `daybook init --book NAME`.")
    if len(books) > 1:
        raise WrongUse(f"There are {len(books)} books: {', '.join(books[:10])}.", "Name one with --book.")
    return books[0]


def date_of(text: str) -> datetime.date:
    """A day. Raises WrongUse."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is not a date.", "Write it like 2026-01-31.") from None


def days_of(first: str | None, last: str | None) -> tuple[datetime.date | None, datetime.date | None]:
    """The first and the last day, None where left out. Raises WrongUse, also where the last is earlier."""
    begins, ends = (None if day is None else date_of(day) for day in (first, last))
    if begins is not None and ends is not None and begins > ends:
        raise WrongUse(f"The first day, {first}, is after the last, {last}.", "Swap --from and --to.")
    return begins, ends


def month_of(text: str) -> datetime.date:
    """The first day of a month. Raises WrongUse."""
    if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        with contextlib.suppress(ValueError):
            return datetime.date.fromisoformat(f"{text}-01")
    raise WrongUse(f"{text!r} is not a month.", "Write it like 2026-01.")


def instant_of(text: str) -> int:
    """A time in Unix milliseconds; UTC where no zone is given. Raises WrongUse."""
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{text!r} is not a time.", "Write it like 2026-01-31T12:00:00Z.") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(milliseconds=1)

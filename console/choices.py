"""What people type, made into what was meant; where it cannot be, one sentence says why."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Sequence

from engine.errors import WrongUse


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

"""Lists that rules ask for: who is allowed, blocked or watched, until when.

A list does nothing by itself: a rule says what standing on it means. It names parties, accounts and countries
as they are, and payees by their key (`schemas/payees.py`), since an account number is personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem
from schemas.documents.filters import twice
from schemas.fields import Id, Millis, Text
from schemas.message import Value
from schemas.parties import COUNTRY
from schemas.payees import KEY_DIGITS

MOST_ENTRIES = 20_000
Purpose = Literal["allow", "block", "watch"]
ListOf = Literal["party", "account", "payee", "country"]
FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "payee": (
        re.compile(f"[0-9a-f]{{{KEY_DIGITS}}}"),
        f"must be a payee's key of {KEY_DIGITS} hex digits, which `daybook lists change` makes of an account",
    ),
    "country": (re.compile(COUNTRY.replace("?$", "$")), "must be a country's two capitals such as DE"),
}
"""What entries of some lists look like."""


class Entry(Value, omit_defaults=True):
    """One that stands on a list. until_ms: from then on not any more.   note: why; nothing personal."""

    id: Id
    until_ms: Millis | None = None
    note: Text = ""


class Listing(Document):
    """A list. purpose and of never change, since rules rely on them.

    of: what its entries are. A list of accounts has those of this book, one of payees those of other banks.
    """

    purpose: Purpose
    of: ListOf
    entries: Annotated[tuple[Entry, ...], Meta(max_length=MOST_ENTRIES), at.MaxLen(MOST_ENTRIES)] = ()

    def problems(self) -> Iterator[Problem]:
        """Entries that stand there twice, or cannot be what the list is of."""
        yield from twice("entries", tuple(one.id for one in self.entries), ".id")
        for index, entry in enumerate(self.entries):
            if wrong := entry_problem(self.of, entry.id):
                yield Problem(f"entries[{index}].id", wrong)


def entry_problem(of: str, entry: str) -> str:
    """Why it cannot stand on a list of these, or nothing."""
    form = FORMS.get(of)
    return form[1] if form is not None and form[0].fullmatch(entry) is None else ""

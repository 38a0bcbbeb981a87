"""Which movements a line of a document is about: what is left out does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

from schemas.documents.document import Problem
from schemas.fields import END, Amount, AmountOrZero, Currency, Label, MovementKind
from schemas.message import Value

TIME_OF_DAY = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
TimeOfDay = Annotated[str, Meta(pattern=TIME_OF_DAY + END), StringConstraints(pattern=TIME_OF_DAY)]
"""Hours and minutes in the book's time zone, such as "22:30"."""
Labels = Annotated[tuple[Label, ...], Meta(max_length=200), at.MaxLen(200)]
Kinds = Annotated[tuple[MovementKind, ...], Meta(max_length=20), at.MaxLen(20)]


class Only(Value):
    """The movements that a line is about; each part that is left empty admits all.

    movements: their kinds.   segments: of the party whose account it is.
    least, most: of the amount, both included, in minor units of the line's currency.
    from_time, to_time: from the one up to but not including the other, over midnight where it is earlier.
    """

    movements: Kinds = ()
    channels: Labels = ()
    corridors: Labels = ()
    segments: Labels = ()
    least: AmountOrZero = 0
    most: Amount | None = None
    from_time: TimeOfDay | None = None
    to_time: TimeOfDay | None = None

    def problems(self, path: str, currency: Currency | None) -> Iterator[Problem]:
        """What is wrong with it. currency: the line's."""
        if (self.least or self.most is not None) and currency is None:
            yield Problem(f"{path}.least" if self.least else f"{path}.most", "give the line a currency")
        if self.most is not None and self.most < self.least:
            yield Problem(f"{path}.most", f"must be {self.least} or more, which is the least")
        if (self.from_time is None) != (self.to_time is None):
            yield Problem(path, "from_time and to_time are given together")
        elif self.from_time is not None and self.from_time == self.to_time:
            yield Problem(f"{path}.to_time", "must differ from from_time; leave both out for the whole day")
        for name in ("movements", "channels", "corridors", "segments"):
            yield from twice(f"{path}.{name}", getattr(self, name))


def twice(path: str, names: tuple[str, ...], field: str = "") -> Iterator[Problem]:
    """The names that stand in a list more than once. field: of each entry, which holds the name."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Problem(f"{path}[{index}]{field}", f"{name} stands in the list twice")
        seen.add(name)

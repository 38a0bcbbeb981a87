"""What the parameters of every typology have: a stage, where they come from, and amounts by currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Problem
from schemas.documents.filters import Labels, twice
from schemas.fields import Amount, Currency, NoNul
from schemas.message import Value

Stage = Literal["off", "shadow", "live"]
"""off: it sees nothing.   shadow: its alerts say so, and open no case.   live."""
Source = Annotated[str, Meta(min_length=10, max_length=1_000), at.Len(10, 1_000), NoNul]
"""Where the figures come from: a regulation, guidance, paper, or the bank's own analysis."""
Amounts = Annotated[dict[Currency, Amount], Meta(min_length=1, max_length=50), at.Len(1, 50)]
"""An amount for each currency, minor units. Movements in another currency are not looked at."""
Hours = Annotated[int, Meta(ge=1, le=24 * 31), at.Ge(1), at.Le(24 * 31)]
Days = Annotated[int, Meta(ge=1, le=3_660), at.Ge(1), at.Le(3_660)]
Many = Annotated[int, Meta(ge=2, le=100), at.Ge(2), at.Le(100)]
"""How many of something make a pattern: at most as many as an alert can have for evidence."""
PerMille = Annotated[int, Meta(ge=1, le=1_000), at.Ge(1), at.Le(1_000)]
Side = Literal["in", "out"]
"""Of the account that is looked at: money that comes in, or goes out."""

HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Parameters(Value, kw_only=True):
    """What one typology goes by.

    source: where its figures come from, so that nobody has to guess why they are what they are.
    stage: off, shadow or live.   channels: the channels that it looks at, all where there are none.
    products, but_products: of the accounts that it is about; all where there are none.
    """

    source: Source
    stage: Stage = "shadow"
    channels: Labels = ()
    products: Labels = ()
    but_products: Labels = ()

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with it by itself, as far as no single field can say."""
        for name in ("channels", "products", "but_products"):
            yield from twice(f"{path}.{name}", getattr(self, name))
        if self.products and self.but_products:
            yield Problem(f"{path}.but_products", "give the one or the other")

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Its amounts by currency, each with the name of its field."""
        return iter(())

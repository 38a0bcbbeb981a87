"""Parameters of the typologies that go by the amounts of one party's movements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.typology import Amounts, Days, Hours, Many, Parameters, PerMille, Side

Deviations = Annotated[int, Meta(ge=1, le=100), at.Ge(1), at.Le(100)]
Earlier = Annotated[int, Meta(ge=3, le=10_000), at.Ge(3), at.Le(10_000)]


class Structuring(Parameters, kw_only=True):
    """Several amounts that each stay just under a threshold.

    side: which money of the account.   threshold: what must be reported, or is asked about.
    near: per mille of the threshold from where on an amount is near it.
    count: so many of them, and together the threshold or more, within `within_days`.
    """

    threshold: Amounts
    side: Side = "in"
    near: PerMille = 800
    count: Many = 3
    within_days: Days = 7

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "threshold", self.threshold


class Aggregation(Parameters, kw_only=True):
    """Amounts of a party that each stay under a threshold and together reach it.

    count: at least so many, within `within_hours`.
    """

    threshold: Amounts
    side: Side = "in"
    count: Many = 2
    within_hours: Hours = 24

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "threshold", self.threshold


class Spike(Parameters, kw_only=True):
    """An amount that is far from what the account has paid out before.

    deviations: how many standard deviations above the mean of earlier amounts, of which there are `earlier`
    or more, over the last `history_days` to twice as many.   least: what is smaller is never one.
    """

    least: Amounts
    side: Side = "out"
    deviations: Deviations = 3
    earlier: Earlier = 10
    history_days: Days = 90

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class RepeatedAmounts(Parameters, kw_only=True):
    """Nearly the same amount again and again, to or from several others.

    tolerance: per mille of the newest amount by which others may differ from it.   count: so many of them
    within `within_days`.   others: at least so many distinct counterparties.   least: the smallest amount.
    """

    least: Amounts
    side: Side = "out"
    tolerance: PerMille = 10
    count: Many = 5
    others: Annotated[int, Meta(ge=1, le=100), at.Ge(1), at.Le(100)] = 2
    within_days: Days = 7

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least

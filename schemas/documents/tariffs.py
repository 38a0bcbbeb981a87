"""Tariffs: what movements cost, and what an account costs each month."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, LineId, Problem, Rate
from schemas.documents.filters import Labels, Only, twice
from schemas.fields import AccountId, Amount, AmountOrZero, Currency, Label
from schemas.message import Value

Rounding = Literal["half_even", "half_up", "up", "down"]
Period = Literal["day", "month"]
Units = Annotated[int, Meta(ge=1, le=1_000_000), at.Ge(1), at.Le(1_000_000)]


class Slab(Value):
    """What is above `above` and up to `up_to`, which is included: minor units, without an end if left out.

    flat: minor units.   rate: of the amount.
    """

    above: AmountOrZero = 0
    up_to: Amount | None = None
    flat: AmountOrZero = 0
    rate: Rate = "0"


class Slabs(Value, kw_only=True):
    """Prices that depend on an amount.

    of: the amount of the movement, or the volume: what the account has moved within the day or month by
        movements that this line was for, this one included.
    take: `whole` - the slab that the amount or volume lies in gives its flat part and its rate of the whole
        movement; `marginal` - each slab gives its rate of the part of the movement that lies in it, and its
        flat part where any does.
    """

    of: Literal["amount", "day_volume", "month_volume"] = "amount"
    take: Literal["whole", "marginal"] = "whole"
    steps: Annotated[tuple[Slab, ...], Meta(min_length=1, max_length=50), at.Len(1, 50)]

    def problems(self, path: str) -> Iterator[Problem]:
        """Slabs that overlap, leave a gap, or end somewhere."""
        reached: int | None = 0
        for index, step in enumerate(self.steps):
            here = f"{path}.steps[{index}]"
            if reached is None:
                yield Problem(here, "the slab before it has no up_to and takes everything above")
                return
            if step.above != reached:
                what = "overlaps" if step.above < reached else "leaves a gap after"
                yield Problem(f"{here}.above", f"{what} the slab before it: must be {reached}")
            if step.up_to is not None and step.up_to <= step.above:
                yield Problem(f"{here}.up_to", f"must be more than {step.above}, which is above")
                return
            yield from not_negative(f"{here}.rate", step.rate)
            reached = step.up_to
        if reached is not None:
            yield Problem(f"{path}.steps[{len(self.steps) - 1}].up_to", "leave it out in the last slab")


class Package(Value):
    """Units that are free in each period. Lines that name the package share them."""

    id: LineId
    units: Units
    every: Period = "month"


class Waiver(Value):
    """Who does not pay."""

    segments: Labels = ()
    parties: Labels = ()


class TariffLine(Value):
    """What one kind of thing costs: flat + rate of the amount + slabs, at least `least` and at most `most`.

    currency: of the accounts that it charges; fees, amounts and `income` are in it.
    income: the account of kind `income` that receives it.
    every: `month` for what an account costs as such, taken at the end of each month; else it is per movement.
    group: among lines of one group the first that concerns the movement decides, even if it charges nothing;
        lines without a group charge each by itself.
    package: its units come first, and are free.
    rounding: of the exact fee to the minor unit, once, after everything else.
    """

    id: LineId
    currency: Currency
    income: AccountId
    only: Only = Only()
    every: Literal["month"] | None = None
    group: Label = ""
    flat: AmountOrZero = 0
    rate: Rate = "0"
    slabs: Slabs | None = None
    least: AmountOrZero = 0
    most: Amount | None = None
    package: Label = ""
    waived_for: Waiver = Waiver()
    rounding: Rounding = "half_even"

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with it by itself."""
        yield from not_negative(f"{path}.rate", self.rate)
        if not self.flat and not Decimal(self.rate) and self.slabs is None and not self.least:
            yield Problem(path, "give it a price: flat, rate, slabs or least")
        if self.most is not None and self.most < self.least:
            yield Problem(f"{path}.most", f"must be {self.least} or more, which is the least")
        if self.every is not None:
            if Decimal(self.rate) or self.slabs is not None or self.package:
                yield Problem(f"{path}.every", "what is taken every month has a flat price only")
            if self.only != Only(segments=self.only.segments):
                yield Problem(f"{path}.only", "what is taken every month can be only for segments")
        if self.slabs is not None:
            yield from self.slabs.problems(f"{path}.slabs")
        yield from self.only.problems(f"{path}.only", self.currency)
        yield from twice(f"{path}.waived_for.segments", self.waived_for.segments)
        yield from twice(f"{path}.waived_for.parties", self.waived_for.parties)


class Tariff(Document):
    """What accounts of a product are charged. Every fee is a posting of its own to an income account."""

    lines: Annotated[tuple[TariffLine, ...], Meta(min_length=1, max_length=100), at.Len(1, 100)]
    packages: Annotated[tuple[Package, ...], Meta(max_length=20), at.MaxLen(20)] = ()

    def problems(self) -> Iterator[Problem]:
        """Lines that are wrong, names that stand twice, and packages that nobody has described."""
        yield from twice("lines", tuple(line.id for line in self.lines), ".id")
        yield from twice("packages", tuple(one.id for one in self.packages), ".id")
        names = {one.id for one in self.packages}
        for index, line in enumerate(self.lines):
            yield from line.problems(f"lines[{index}]")
            if line.package and line.package not in names:
                yield Problem(f"lines[{index}].package", f"there is no package {line.package} in the tariff")


def not_negative(path: str, rate: str) -> Iterator[Problem]:
    """A fee takes; it never gives."""
    if rate.startswith("-"):
        yield Problem(path, "must not be negative")

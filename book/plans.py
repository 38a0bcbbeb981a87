"""Products with their limits and tariff, as decisions read them: sorted by currency and kind of movement.

It is data, not code, since the state is stored in snapshots; and whole numbers, since rates are fractions
over one denominator a line. `book/planning.py` makes it.
"""

from __future__ import annotations

import msgspec

from schemas.documents.limits import CountedBy, Measure, Window
from schemas.documents.tariffs import Rounding

DAY, MONTH, TRANSACTION = 0, -1, -2
"""In place of a width: windows whose slices are days or months of the book's calendar, or no slices."""


class OnlyPlan(msgspec.Struct, gc=False):
    """Which movements of a kind a line is about. most: 0 for any.   from_minute: -1 for the whole day."""

    channels: tuple[str, ...]
    corridors: tuple[str, ...]
    segments: tuple[str, ...]
    least: int
    most: int
    from_minute: int
    to_minute: int


class LimitPlan(msgspec.Struct, gc=False):
    """A limit line. key: `document/line@version`, under which it counts; the version is the one in which the
    line began to count as it does.   name: `document/line`.   movements: of which kinds, none for all.

    sums: whether it adds amounts up, or counts.   width_ms: of a slice of time, or DAY, MONTH, TRANSACTION.
    slices: how many before the current one still count.
    """

    key: str
    name: str
    version: int
    measure: Measure
    window: Window
    by: CountedBy
    currency: str
    movements: tuple[str, ...]
    only: OnlyPlan | None
    most: int
    sums: bool
    width_ms: int
    slices: int


Check = tuple[str, int, int, int, str, bool, OnlyPlan | None]
"""What a movement asks of a limit: its key, most, width_ms, slices, by, sums and only. A tuple, since every
movement takes all of it apart, for each of its limits.
"""


class StepPlan(msgspec.Struct, gc=False):
    """A slab. up_to: 0 for no end.   flat, rate: in units of 1 / `per` of its line."""

    above: int
    up_to: int
    flat: int
    rate: int


class FeePlan(msgspec.Struct, gc=False):
    """A tariff line. flat, rate, least, most: in units of 1 / `per` of a minor unit.   most: 0 for any.

    plain: nothing is to be asked but the amount.
    period: DAY or MONTH, in which `volume_key` counts what was moved; `marginal`: how its slabs are taken.
    package_key, package_units, package_period: of units that are free.   monthly: taken each month.
    """

    tariff: str
    version: int
    line: str
    income: str
    currency: str
    movements: tuple[str, ...]
    only: OnlyPlan | None
    group: str
    flat: int
    rate: int
    per: int
    steps: tuple[StepPlan, ...]
    marginal: bool
    volume_key: str
    period: int
    least: int
    most: int
    package_key: str
    package_units: int
    package_period: int
    waived_segments: tuple[str, ...]
    waived_parties: tuple[str, ...]
    rounding: Rounding
    monthly: bool
    plain: bool


class KindPlan(msgspec.Struct, gc=False):
    """What one kind of movement is up against. pays, receives: whether it may take, and give.

    checks: of `limits`, in the same order.
    """

    pays: bool
    receives: bool
    limits: tuple[LimitPlan, ...]
    checks: tuple[Check, ...]
    fees: tuple[FeePlan, ...]


class CurrencyPlan(msgspec.Struct):
    """The plans of each kind of movement, and what an account costs each month."""

    kinds: dict[str, KindPlan]
    monthly: tuple[FeePlan, ...]


class ProductPlan(msgspec.Struct):
    """By the currency of the account. rest: for currencies that no line names."""

    currencies: dict[str, CurrencyPlan]
    rest: CurrencyPlan

    def of(self, currency: str) -> CurrencyPlan:
        """The plan of an account in this currency."""
        return self.currencies.get(currency) or self.rest

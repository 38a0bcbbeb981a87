"""Whether a condition can hold at all: every value is whole and independent of all others, so it is enough to
cut the intervals that are asked of each.

What is exact here is bounded: where alternatives multiply beyond `MOST_TRIED`, the answer is yes.
"""

from __future__ import annotations

import msgspec

from schemas.documents.conditions import Comparison, kind_of
from schemas.features import FEATURES, NONE

MOST_TRIED = 2_000
Asked = tuple[str, str, str]
"""What is compared: its kind, its name, and of whom."""


class Ruled(msgspec.Struct, frozen=True):
    """What is known of the values so far: of each the interval in which it must lie, and those it must avoid.

    currency: which the movement must have; empty for any.   not_in: those it must not have.
    """

    within: dict[Asked, tuple[int, int]] = {}
    outside: dict[Asked, tuple[tuple[int, int], ...]] = {}
    currency: str = ""
    not_in: frozenset[str] = frozenset()

    def inside(self, what: Asked, low: int, high: int) -> Ruled | None:
        """With the value between these, or None where it cannot be."""
        before = self.within.get(what, (NONE, high))
        low, high = max(low, before[0]), min(high, before[1])
        if not _left(low, high, self.outside.get(what, ())):
            return None
        return msgspec.structs.replace(self, within={**self.within, what: (low, high)})

    def beyond(self, what: Asked, low: int, high: int, widest: int) -> Ruled | None:
        """With the value anywhere but between these, or None."""
        without = (*self.outside.get(what, ()), (low, high))
        if not _left(*self.within.get(what, (NONE, widest)), without):
            return None
        return msgspec.structs.replace(self, outside={**self.outside, what: without})

    def in_currency(self, currency: str) -> Ruled | None:
        """With a movement in this currency, or None."""
        if currency in self.not_in or self.currency not in ("", currency):
            return None
        return msgspec.structs.replace(self, currency=currency)

    def not_in_currency(self, currency: str) -> Ruled | None:
        """With a movement in another currency, or None."""
        if self.currency == currency:
            return None
        return msgspec.structs.replace(self, not_in=self.not_in | {currency})


def _left(low: int, high: int, without: tuple[tuple[int, int], ...]) -> bool:
    """Whether anything of an interval is left."""
    for first, last in sorted(without):
        if first <= low <= last:
            low = last + 1
    return low <= high


class _Search:
    def __init__(self, currency: str | None) -> None:
        self.currency = currency or ""
        self.tried = 0

    def can(self, wanted: list[tuple[Comparison, bool]], known: Ruled) -> bool:
        """Whether all that is wanted can be so at once; False in the pair: that it does not hold."""
        self.tried += 1
        if self.tried > MOST_TRIED:
            return True
        if not wanted:
            return True
        (one, so), *others = wanted
        kind = kind_of(one)
        if kind in ("any", "all", "none"):
            parts = getattr(one, kind)
            each = so != (kind == "none")
            if so == (kind != "any"):  # all of them have to be as is wanted of each
                return self.can([*((part, each) for part in parts), *others], known)
            return any(self.can([(part, each), *others], known) for part in parts)
        return any(self.can(others, ruled) for ruled in self._ruled(one, so, known) if ruled is not None)

    def _ruled(self, one: Comparison, so: bool, known: Ruled) -> list[Ruled | None]:
        low, high = one.interval()
        widest = one.widest()
        what: Asked = (kind_of(one), one.feature or one.on_list or one.flag or one.model or "", one.of or "")
        feature = FEATURES.get(one.feature)
        currency = (one.currency or self.currency) if feature is not None and feature.unit == "minor" else ""
        if so:
            inside = known.inside(what, low, min(high, widest))
            return [inside.in_currency(currency) if inside is not None and currency else inside]
        beyond = known.beyond(what, low, high, widest)
        return [beyond, known.not_in_currency(currency)] if currency else [beyond]


def can_hold(condition: Comparison, currency: str | None) -> bool:
    """Whether there is a movement for which it holds. currency: of amounts that name none."""
    return _Search(currency).can([(condition, True)], Ruled())

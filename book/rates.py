"""A table of exchange rates in force, as decisions ask it. Rates stay decimal text until they are used.

Nothing here knows the book that it belongs to.
"""

from __future__ import annotations

import msgspec

from schemas.documents.rates import Pair, Rates


class RatesInForce(msgspec.Struct, frozen=True):
    """document, version: which table it is.   pairs: by `pair_key`, whichever way round it is asked for."""

    document: str
    version: int
    rates: Rates
    pairs: dict[str, Pair]

    def name(self) -> str:
        """As events name it: `rates/retail@3`."""
        return f"rates/{self.document}@{self.version}"

    def pair(self, one: str, other: str) -> Pair | None:
        """The pair of two currencies, if the table has it."""
        return self.pairs.get(pair_key(one, other))


def pair_key(one: str, other: str) -> str:
    """The same for both orders of two currencies."""
    return f"{one}/{other}" if one < other else f"{other}/{one}"


def in_force(document: str, version: int, rates: Rates) -> RatesInForce:
    """The table, ready to be asked. Cross rates are found when they are asked for: most never are."""
    return RatesInForce(
        document, version, rates, {pair_key(pair.base, pair.quote): pair for pair in rates.pairs}
    )

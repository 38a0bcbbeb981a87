"""Exchange rates: what currencies are worth, what the bank adds, and where it books the other side.

A rate is units of `quote` for one unit of `base`, in whole units of both: 1 EUR = 1.0832 USD.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem, Rate
from schemas.fields import AccountId, Amount, Currency, Label
from schemas.message import Date, Value

MOST_PAIRS = 500
Scale = Annotated[int, Meta(ge=0, le=12), at.Ge(0), at.Le(12)]
ValidFor = Annotated[int, Meta(ge=1, le=86_400), at.Ge(1), at.Le(86_400)]


class Margin(Value):
    """What the bank keeps, as a part of the mid rate: "0.005" is 0.5 %, from 0 to below 1.

    It buys the base currency at mid x (1 - buy) and sells it at mid x (1 + sell).
    """

    buy: Rate = "0"
    sell: Rate = "0"


class Pair(Value):
    """mid: units of `quote` for one of `base`.   margin: for everybody but parties of the `segments`.

    minimum: the least that is exchanged, in minor units of `base`, of `quote`, or of each.
    """

    base: Currency
    quote: Currency
    mid: Rate
    margin: Margin = Margin()
    segments: dict[Label, Margin] = {}
    minimum: dict[Currency, Amount] = {}


class Revaluation(Value):
    """The bank's own accounts, in the book's currency, for what positions gain and lose in value.

    income, expense: where profit and loss are booked.   contra: the other side of both.
    """

    income: AccountId
    expense: AccountId
    contra: AccountId


class Rates(Document):
    """A table of exchange rates.

    as_of: of which day the rates are.   scale: decimal places of the rates that customers are given.
    through: by way of which currency two others are exchanged that are no pair.
    quote_valid_s: how long a quote holds, seconds of book time.
    positions: the account of kind `fx_position` of each currency.
    revaluation: positions are revalued by this table; one table of a book has it.
    """

    as_of: Date
    scale: Scale
    quote_valid_s: ValidFor
    pairs: Annotated[tuple[Pair, ...], Meta(min_length=1, max_length=MOST_PAIRS), at.Len(1, MOST_PAIRS)]
    positions: dict[Currency, AccountId]
    through: Currency | None = None
    revaluation: Revaluation | None = None

    def currencies(self) -> list[str]:
        """All that stand in pairs, each once, in their order."""
        return list(dict.fromkeys(one for pair in self.pairs for one in (pair.base, pair.quote)))

    def problems(self) -> Iterator[Problem]:
        seen: dict[frozenset[str], int] = {}
        for index, pair in enumerate(self.pairs):
            path = f"pairs[{index}]"
            yield from _pair_problems(path, pair)
            both = frozenset((pair.base, pair.quote))
            if both in seen:
                yield Problem(path, f"{pair.base} and {pair.quote} are a pair already: pairs[{seen[both]}]")
            seen.setdefault(both, index)
        currencies = self.currencies()
        for currency in currencies:
            if currency not in self.positions:
                yield Problem("positions", f"{currency} has no position account")
        for currency in self.positions:
            if currency not in currencies:
                yield Problem(f"positions.{currency}", f"{currency} stands in no pair")
        if self.through is not None and self.through not in currencies:
            yield Problem("through", f"{self.through} stands in no pair")


def _pair_problems(path: str, pair: Pair) -> Iterator[Problem]:
    if pair.base == pair.quote:
        yield Problem(path, f"{pair.base} is not exchanged for itself")
    if Decimal(pair.mid) <= 0:
        yield Problem(f"{path}.mid", f"{pair.mid} is not above zero")
    yield from _margin_problems(f"{path}.margin", pair.margin, Decimal(pair.mid))
    for segment, margin in pair.segments.items():
        yield from _margin_problems(f"{path}.segments.{segment}", margin, Decimal(pair.mid))
    for currency in pair.minimum:
        if currency not in (pair.base, pair.quote):
            yield Problem(f"{path}.minimum.{currency}", f"a minimum is in {pair.base} or {pair.quote}")


def _margin_problems(path: str, margin: Margin, mid: Decimal) -> Iterator[Problem]:
    buy, sell = Decimal(margin.buy), Decimal(margin.sell)
    if buy + sell < 0:
        yield Problem(
            path, f"crossed: the bank would buy at {mid * (1 - buy)} and sell for less, at {mid * (1 + sell)}"
        )
    for name, part in (("buy", buy), ("sell", sell)):
        if not 0 <= part < 1:
            yield Problem(f"{path}.{name}", f'{part} is not from 0 to below 1; 0.5 % is "0.005"')

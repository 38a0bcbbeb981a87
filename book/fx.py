"""What a book remembers of foreign exchange: quotes that can be used, positions, and days to revalue.

Nothing here knows the book that it belongs to.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from book.rates import RatesInForce
from schemas.exchange import Line

REMEMBERED_QUOTES = 10_000
"""Of how many quotes that can be used no longer the book says why not."""


class Quote(msgspec.Struct, gc=False):
    """A quote that can be used. The fields are those of QuoteGiven."""

    party: str
    debit: str
    credit: str
    lines: tuple[Line, Line]
    base: str
    counter: str
    rate: str
    mid: str
    margin: str
    worth: int
    documents: tuple[str, ...]
    positions: tuple[str, str]
    expires_at_ms: int


class Position(msgspec.Struct, gc=False):
    """What is held of a currency on one position account, and what that cost, in the book's currency.

    realised: result of what is held no longer.   result: all that was gained or lost, as last booked.
    value: of the amount when it was last valued.
    """

    currency: str
    amount: int = 0
    cost: int = 0
    realised: int = 0
    result: int = 0
    value: int = 0


class Held(msgspec.Struct, frozen=True, gc=False):
    """A position as it was when a business date closed."""

    account: str
    amount: int
    cost: int
    realised: int


class Closing(msgspec.Struct, frozen=True):
    """A closed day that is still to be revalued: the rates that were in force, and what was held."""

    table: RatesInForce
    held: tuple[Held, ...]


class Fx(msgspec.Struct):
    """quotes: those that can be used.   ended: what became of the others, the newest of them, oldest first.

    positions: by position account.   closing: by business date, as ordinal, what is still to be revalued.
    """

    quotes: dict[str, Quote] = {}
    ended: dict[str, Literal["expired", "used"]] = {}
    positions: dict[str, Position] = {}
    closing: dict[int, Closing] = {}

    def end(self, quote: str, how: Literal["expired", "used"]) -> None:
        """The quote can be used no longer."""
        del self.quotes[quote]
        self.ended[quote] = how
        if len(self.ended) > REMEMBERED_QUOTES:
            del self.ended[next(iter(self.ended))]

"""What a table of rates says about two currencies, exactly: in fractions, and each figure rounded once.

A rate is rounded to the table's scale, an amount to its minor unit; both half-even. Only where half-even
would give the customer more than the mid rate is worth, the amount goes to the other side, so that no number
of exchanges at one table ever makes money for whoever orders them.
"""

from __future__ import annotations

import functools
from fractions import Fraction

import msgspec

from book.rates import RatesInForce
from book.state import Book
from commands.decision import digits_of
from schemas.documents.rates import Margin, Pair
from schemas.exchange import Line, Rounding
from schemas.money import format_minor

MARGIN_PLACES = 12


class Priced(msgspec.Struct, frozen=True):
    """A rate for a customer, as events say it; see `schemas.exchange`.

    gives: units of what is bought for one unit of what is sold, as `rate` says.   mid_gives: the same at mid.
    """

    base: str
    counter: str
    rate: str
    mid: str
    margin: str
    gives: Fraction
    mid_gives: Fraction


@functools.lru_cache(maxsize=4096)
def exact(text: str) -> Fraction:
    """A rate, exactly."""
    return Fraction(text)


def decimal_text(value: Fraction, places: int) -> str:
    """A value as decimal text, half-even."""
    return format_minor(round(value * 10**places), places)


def mid_of(table: RatesInForce, sell: str, buy: str) -> Fraction | None:
    """Units of `buy` for one unit of `sell` at mid: of their pair, or by way of the currency that the table
    names. None where it has neither.
    """
    legs = _legs(table, sell, buy)
    if legs is None:
        return None
    gives = Fraction(1)
    for pair, from_base in legs:
        gives *= exact(pair.mid) if from_base else 1 / exact(pair.mid)
    return gives


def priced(table: RatesInForce, sell: str, buy: str, segment: str) -> Priced | None:
    """The rate for a customer of this segment who sells one currency for another. None: the table has none,
    or at its scale the rate is zero.
    """
    legs = _legs(table, sell, buy)
    if legs is None:
        return None
    scale = table.rates.scale
    gives = mid_gives = Fraction(1)
    for pair, from_base in legs:
        mid, margin = exact(pair.mid), pair.segments.get(segment, pair.margin)
        if from_base:
            mid_gives *= mid
            gives *= mid * (1 - exact(margin.buy))
        else:
            mid_gives /= mid
            gives /= mid * (1 + exact(margin.sell))
    # A pair is quoted as the table has it, a cross rate as what is bought for what is sold.
    inverse = len(legs) == 1 and not legs[0][1]
    base, counter = (buy, sell) if inverse else (sell, buy)
    rate = decimal_text(1 / gives if inverse else gives, scale)
    if not exact(rate):
        return None
    return Priced(
        base=base,
        counter=counter,
        rate=rate,
        mid=decimal_text(1 / mid_gives if inverse else mid_gives, MARGIN_PLACES),
        margin=_margin_text(legs, segment, 1 - gives / mid_gives),
        gives=1 / exact(rate) if inverse else exact(rate),
        mid_gives=mid_gives,
    )


def _margin_text(legs: list[tuple[Pair, bool]], segment: str, kept: Fraction) -> str:
    """Of a pair as the table has it; of a cross rate the part of the mid that both margins keep together."""
    if len(legs) == 1:
        pair, from_base = legs[0]
        margin: Margin = pair.segments.get(segment, pair.margin)
        return margin.buy if from_base else margin.sell
    return decimal_text(kept, MARGIN_PLACES)


def _legs(table: RatesInForce, sell: str, buy: str) -> list[tuple[Pair, bool]] | None:
    """The pairs that lead from one currency to the other; and of each, whether its base is what is sold."""
    pair = table.pair(sell, buy)
    if pair is not None:
        return [(pair, pair.base == sell)]
    through = table.rates.through
    if through is None:
        return None
    first, second = table.pair(sell, through), table.pair(through, buy)
    if first is None or second is None:
        return None
    return [(first, first.base == sell), (second, second.base == through)]


def minimum_of(table: RatesInForce, sell: str, buy: str) -> tuple[int, int]:
    """The least that is exchanged, in minor units of what is sold and of what is bought; 0 for no minimum."""
    legs = _legs(table, sell, buy)
    if legs is None:
        return 0, 0
    return legs[0][0].minimum.get(sell, 0), legs[-1][0].minimum.get(buy, 0)


def lines_of(
    book: Book, at: Priced, sell: str, buy: str, sell_amount: int | None, buy_amount: int | None
) -> tuple[Line, Line]:
    """Both sides of an exchange, of which one is given. An amount may come out as zero, or beyond 64 bits."""
    units = Fraction(10 ** digits_of(book, buy), 10 ** digits_of(book, sell))
    rounding: Rounding
    if sell_amount is not None:
        got = round(sell_amount * at.gives * units)
        rounding = "half-even"
        fair = sell_amount * at.mid_gives * units
        if got > fair:
            got, rounding = fair.numerator // fair.denominator, "down"
        return Line(sell, sell_amount, "given"), Line(buy, got, rounding)
    assert buy_amount is not None, "one side of an exchange is given"
    paid = round(buy_amount / (at.gives * units))
    rounding = "half-even"
    fair = buy_amount / (at.mid_gives * units)
    if paid < fair:
        paid, rounding = -(-fair.numerator // fair.denominator), "up"
    return Line(sell, paid, rounding), Line(buy, buy_amount, "given")


def worth_of(book: Book, table: RatesInForce, lines: tuple[Line, Line]) -> int | None:
    """What an exchange is worth in the book's currency, minor units: the side that is in it, or else what is
    sold at mid, half-even. None where the table has no rate for that.
    """
    for line in lines:
        if line.currency == book.currency:
            return line.amount
    sold = lines[0]
    return valued(book, table, sold.currency, sold.amount)


def valued(book: Book, table: RatesInForce, currency: str, amount: int) -> int | None:
    """An amount in the book's currency at mid, half-even."""
    mid = mid_of(table, currency, book.currency)
    if mid is None:
        return None
    return round(
        amount * mid * Fraction(10 ** digits_of(book, book.currency), 10 ** digits_of(book, currency))
    )

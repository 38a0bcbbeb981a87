"""The naive twin of interest: fractions, the full list of postings by value date, a day at a time.

It shares no code with the engine: it knows a product's terms as the test wrote them down.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

Date = datetime.date
Moves = Sequence[tuple[Date, int]]
"""What was posted to an account: (value date, signed minor units)."""
A_DAY = datetime.timedelta(days=1)


def balance_on(moves: Moves, day: Date) -> int:
    return sum(amount for valued, amount in moves if valued <= day)


def of_a_year(tiers: Sequence[Mapping[str, Any]], method: str, balance: int) -> Fraction:
    if method == "whole":
        reached = [tier for tier in tiers if tier["from_minor"] <= balance][-1]
        return balance * Fraction(reached["rate"])
    total = Fraction(0)
    for index, tier in enumerate(tiers):
        top = tiers[index + 1]["from_minor"] if index + 1 < len(tiers) else balance
        within = min(balance, top) - tier["from_minor"]
        if within > 0:
            total += within * Fraction(tier["rate"])
    return total


def fraction_of_year(day_count: str, day: Date) -> Fraction:
    if day_count == "ACT/365":
        return Fraction(1, 365)
    if day_count == "ACT/360":
        return Fraction(1, 360)
    after = day + A_DAY
    d1 = 30 if day.day == 31 else day.day
    d2 = 30 if after.day == 31 and d1 == 30 else after.day
    return Fraction(360 * (after.year - day.year) + 30 * (after.month - day.month) + d2 - d1, 360)


def of_a_day(terms: Mapping[str, Any], balance: int, day: Date) -> tuple[Fraction, Fraction]:
    """Credit and debit interest, in minor units."""
    name = "credit" if balance > 0 else "debit"
    side = terms[name]
    if side is None or balance == 0:
        return Fraction(0), Fraction(0)
    interest = of_a_year(side["tiers"], side.get("method", "marginal"), abs(balance))
    interest *= fraction_of_year(terms["day_count"], day)
    return (interest, Fraction(0)) if balance > 0 else (Fraction(0), interest)


def of_days(terms: Mapping[str, Any], moves: Moves, first: Date, last: Date) -> tuple[Fraction, Fraction]:
    """All credit and debit interest from one day to another, both included."""
    credit = debit = Fraction(0)
    day = first
    while day <= last:
        more = of_a_day(terms, balance_on(moves, day), day)
        credit, debit = credit + more[0], debit + more[1]
        day += A_DAY
    return credit, debit


def is_months_end(day: Date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]

"""The interest that a product pays and charges, as its document says it. Part of `products`.

A tier's rate is per year. Thresholds are minor units of the currency: of the balance for credit interest, of
what is overdrawn for debit interest.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.documents.calendars import Convention
from schemas.documents.document import DocumentId, Problem, Rate
from schemas.fields import AccountId, AmountOrZero, Currency
from schemas.message import Value

DayCount = Literal["ACT/365", "ACT/360", "30/360"]
Capitalised = Literal["monthly", "quarterly", "yearly", "at_maturity"]
HIGHEST_RATE = Decimal(10)
"""1000 % a year. Whatever is above it was meant to be per cent."""


class InterestTier(Value, frozen=True, kw_only=True):
    """The rate from a balance on. from_minor: minor units.   rate: per year, "0.0125" is 1.25 %."""

    from_minor: AmountOrZero = 0
    rate: Rate


class InterestSide(Value, frozen=True, kw_only=True):
    """Interest on balances above zero (credit) or below it (debit).

    tiers: ascending, the first from 0.
    method: `marginal`, each tier's rate for the part of the balance within it; or `whole`, the rate of the
        tier that the balance reaches, for all of it.
    booked_on: the expense account (credit) or income account (debit) of the bank.
    accrued_on: the bank's account of kind `accrued` that holds what is not paid yet.
    """

    tiers: Annotated[tuple[InterestTier, ...], Meta(min_length=1, max_length=20), at.Len(1, 20)]
    method: Literal["marginal", "whole"] = "marginal"
    booked_on: AccountId
    accrued_on: AccountId


class Interest(Value, frozen=True, kw_only=True):
    """Interest on accounts in one currency.

    day_count: ACT/365 (fixed), ACT/360, or 30/360 (bond basis: ISDA 2006, section 4.16(f)).
    capitalised: when what has accrued is booked to the account: after the last day of the month, quarter or
        year, or when the account matures, `term_months` after it was opened; it bears no interest after that.
    calendar, convention: where that last day goes if it is no banking day; interest is booked through the day
        that it goes to. Without a calendar every day is one.
    """

    currency: Currency
    day_count: DayCount
    credit: InterestSide | None = None
    debit: InterestSide | None = None
    capitalised: Capitalised = "monthly"
    term_months: Annotated[int, Meta(ge=1, le=1_200), at.Ge(1), at.Le(1_200)] | None = None
    calendar: DocumentId | None = None
    convention: Convention = "following"

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with it, as far as the document alone can tell."""
        if self.credit is None and self.debit is None:
            yield Problem(path, "it has neither credit nor debit interest")
        if (self.capitalised == "at_maturity") != (self.term_months is not None):
            yield Problem(
                f"{path}.term_months", "it stands exactly where interest is capitalised at_maturity"
            )
        if self.calendar is not None and self.capitalised == "at_maturity":
            yield Problem(f"{path}.calendar", "a maturity is not moved by a calendar")
        for name, side in (("credit", self.credit), ("debit", self.debit)):
            if side is not None:
                yield from _problems_of(side, f"{path}.{name}", debit=name == "debit")


def _problems_of(side: InterestSide, path: str, *, debit: bool) -> Iterator[Problem]:
    above = -1
    for index, tier in enumerate(side.tiers):
        at_tier = f"{path}.tiers[{index}]"
        if index == 0 and tier.from_minor != 0:
            yield Problem(f"{at_tier}.from_minor", "the first tier begins at 0")
        elif tier.from_minor <= above:
            yield Problem(
                f"{at_tier}.from_minor", f"tiers ascend without overlapping: it has to be above {above}"
            )
        above = max(above, tier.from_minor)
        rate = Decimal(tier.rate)
        if abs(rate) > HIGHEST_RATE:
            yield Problem(f"{at_tier}.rate", f'{tier.rate} is above {HIGHEST_RATE}: 1.25 % is "0.0125"')
        if debit and rate < 0:
            yield Problem(f"{at_tier}.rate", "interest on an overdraft is not negative")


def interest_problems(interest: tuple[Interest, ...], currencies: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with a product's interest. currencies: of the product; empty for any."""
    seen: set[str] = set()
    for index, one in enumerate(interest):
        path = f"interest[{index}]"
        if one.currency in seen:
            yield Problem(f"{path}.currency", f"there is interest in {one.currency} already")
        elif currencies and one.currency not in currencies:
            yield Problem(f"{path}.currency", f"the product is not kept in {one.currency}")
        seen.add(one.currency)
        yield from one.problems(path)

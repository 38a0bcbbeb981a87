"""Products: what kind of account this is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, DocumentId, Problem
from schemas.documents.filters import Kinds, twice
from schemas.documents.interest import Interest, interest_problems
from schemas.fields import AmountOrZero, Currency, Text


class Product(Document):
    """The terms of the accounts that name it.

    currencies: in which an account can be kept; empty for any.
    overdraft: how far below zero an account may be allowed to go, minor units by currency, none where its
        currency is left out; any overdraft where all of this is left out.
    tariff: the tariff document that charges them.   limits: the limits documents that hold for them.
    interest: that their balances bear, by currency.
    pays, receives: the kinds of movement that may take from such an account, or give to it; any if left out.
    """

    name: Text
    currencies: Annotated[tuple[Currency, ...], Meta(max_length=200), at.MaxLen(200)] = ()
    overdraft: dict[Currency, AmountOrZero] | None = None
    tariff: DocumentId | None = None
    limits: Annotated[tuple[DocumentId, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    interest: Annotated[tuple[Interest, ...], Meta(max_length=200), at.MaxLen(200)] = ()
    pays: Kinds | None = None
    receives: Kinds | None = None

    def problems(self) -> Iterator[Problem]:
        """Where its parts contradict each other."""
        for name in ("currencies", "limits", "pays", "receives"):
            yield from twice(name, getattr(self, name) or ())
        for currency in self.overdraft or ():
            if self.currencies and currency not in self.currencies:
                yield Problem(f"overdraft.{currency}", f"no account of this product is kept in {currency}")
        yield from interest_problems(self.interest, self.currencies)

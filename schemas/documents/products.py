"""Products: what kind of account this is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, DocumentId, Problem
from schemas.documents.interest import Interest, interest_problems
from schemas.fields import Currency, Text


class Product(Document):
    """The terms of the accounts that name it.

    currencies: in which an account can be kept; empty for any.
    tariff: the tariff document that charges them.   limits: the limits documents that hold for them.
    interest: that their balances bear, by currency.
    """

    name: Text
    currencies: Annotated[tuple[Currency, ...], Meta(max_length=200), at.MaxLen(200)] = ()
    tariff: DocumentId | None = None
    limits: Annotated[tuple[DocumentId, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    interest: Annotated[tuple[Interest, ...], Meta(max_length=200), at.MaxLen(200)] = ()

    def problems(self) -> Iterator[Problem]:
        """Where its parts contradict each other."""
        yield from interest_problems(self.interest, self.currencies)

"""Suspense: where receipts wait that cannot be credited, who looks after them, and when they are old."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem
from schemas.fields import AccountId, Currency, Id

Days = Annotated[int, Meta(ge=1, le=3_650), at.Ge(1), at.Le(3_650)]


class Suspense(Document):
    """The book's rules for suspense; of several documents, the one that came into force last holds.

    accounts: by currency, where receipts wait. Nothing is received in a currency without one.
    owner: who looks after what nobody was assigned to yet.
    ages_days: at which ages, in days since it was received, an item is said to be old; in order.
    """

    accounts: Annotated[dict[Currency, AccountId], Meta(max_length=200), at.MaxLen(200)]
    owner: Id
    ages_days: Annotated[tuple[Days, ...], Meta(max_length=20), at.MaxLen(20)] = (1, 5, 30)

    def problems(self) -> Iterator[Problem]:
        """Ages that are out of order, and an account for two currencies."""
        for index, (before, age) in enumerate(zip(self.ages_days, self.ages_days[1:], strict=False), 1):
            if age <= before:
                yield Problem(f"ages_days[{index}]", f"{age} is not after {before}")
        known: set[str] = set()
        for currency, account in self.accounts.items():
            if account in known:
                yield Problem(f"accounts.{currency}", f"{account} stands here for another currency too")
            known.add(account)

"""Counterparts: what a book has agreed with another one about payments between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem
from schemas.fields import AccountId, ActorId, BookId, Currency


class Counterpart(Document):
    """Payments to and from the book `book`, one inter-book account for each currency.

    relay: the system that brings what the other book has recorded; nobody else may.
    accounts: by currency, this book's inter-book account for that book; without any, nothing new is sent or
        received.
    """

    book: BookId
    relay: ActorId
    accounts: Annotated[dict[Currency, AccountId], Meta(max_length=200), at.MaxLen(200)]

    def problems(self) -> Iterator[Problem]:
        """An account is kept in one currency, so none can serve two."""
        known: set[str] = set()
        for currency, account in self.accounts.items():
            if account in known:
                yield Problem(f"accounts.{currency}", f"{account} stands here for another currency too")
            known.add(account)

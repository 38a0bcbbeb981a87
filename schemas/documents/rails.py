"""Rails: the ways by which payments leave the bank, and the accounts that they go through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta
from pydantic import StringConstraints

from schemas.documents.document import Document, DocumentId, Problem
from schemas.fields import END, AccountId, ActorId, Amount, Currency, Duration, Screening, Text
from schemas.message import Value

CORRIDOR = r"^([A-Z]{2}|\*)-([A-Z]{2}|\*)$"
TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
Corridor = Annotated[str, Meta(pattern=CORRIDOR + END), StringConstraints(pattern=CORRIDOR)]
"""From the country of the payer to the payee's, such as `DE-FR`; `*` is any country, or none."""
TimeOfDay = Annotated[str, Meta(pattern=TIME_OF_DAY + END), StringConstraints(pattern=TIME_OF_DAY)]
"""Hours and minutes in the book's time zone, such as `16:30`."""


class RailCurrency(Value):
    """A currency that the rail takes, and the bank's own accounts that its payments go through.

    nostro: where the money is.   in_transit: what is dispatched and not settled yet.
    suspense: what cannot be given to whom it belongs to.   maximum: of one payment, minor units.
    """

    currency: Currency
    nostro: AccountId
    in_transit: AccountId
    suspense: AccountId
    maximum: Amount | None = None


class Rail(Document):
    """A way by which payments leave the bank.

    adapter: the system that speaks for the rail; nobody else's answers are heard.
    corridors: from where to where it goes; empty for everywhere.
    cut_off: until when a payment leaves on the same banking day; never where it is not given.
    calendar: which days are banking days; every day where it is not given.
    answer_within_ms: how long after a dispatch its silence sends the payment to repair.
    resends: how often a payment can be sent again with the same id.
    screening: of a payment when it is submitted; `pending` has each wait until it is cleared.
    """

    name: Text
    adapter: ActorId
    currencies: Annotated[tuple[RailCurrency, ...], Meta(min_length=1, max_length=200), at.Len(1, 200)]
    corridors: Annotated[tuple[Corridor, ...], Meta(max_length=10_000), at.MaxLen(10_000)] = ()
    cut_off: TimeOfDay | None = None
    calendar: DocumentId | None = None
    answer_within_ms: Duration = 3_600_000
    resends: Annotated[int, Meta(ge=0, le=100), at.Ge(0), at.Le(100)] = 3
    screening: Screening = "cleared"

    def problems(self) -> Iterator[Problem]:
        """A currency that stands twice, and accounts that are one and the same."""
        known: set[str] = set()
        for index, one in enumerate(self.currencies):
            if one.currency in known:
                yield Problem(f"currencies[{index}].currency", f"{one.currency} stands there before")
            known.add(one.currency)
            if len({one.nostro, one.in_transit, one.suspense}) < 3:
                yield Problem(
                    f"currencies[{index}]", "nostro, in_transit and suspense are three different accounts"
                )

"""What is remembered of payments in, those in suspense and those credited: plain state, without `Book`."""

from __future__ import annotations

import msgspec

from book.known_ids import KnownIds
from schemas.documents.suspense import Suspense
from schemas.payments_in import Payer


class Credited(msgspec.Struct, gc=False):
    """What was credited. refunded: of it, so far.   parts: in how many parts."""

    account: str
    nostro: str
    rail: str
    amount: int
    currency: str
    refunded: int = 0
    parts: int = 0


class Parked(msgspec.Struct):
    """What waits in suspense. ages_ms: when it will be said how old it is.   step: how many times it was."""

    rail: str
    nostro: str
    suspense: str
    amount: int
    currency: str
    payer: Payer
    end_to_end: str
    owner: str
    parked_ms: int
    ages_ms: tuple[int, ...]
    step: int = 0


class Receipts(msgspec.Struct):
    """known: the id of every receipt.   credited: those that can be refunded, by id, as long as it is known.

    parked: what waits in suspense, by id, oldest first.   rules: the document in force.
    """

    known: KnownIds = msgspec.field(default_factory=KnownIds)
    credited: dict[str, Credited] = {}
    parked: dict[str, Parked] = {}
    rules: Suspense | None = None

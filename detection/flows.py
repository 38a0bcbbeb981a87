"""Flows: movements of money as typologies look at them, one shape for transfers and payments in and out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import msgspec

from schemas.alerts import Alert

FlowKind = Literal["transfer", "payment_out", "payment_in", "exchange"]


class Flow(msgspec.Struct, frozen=True, gc=False):
    """Money that has moved, or was accepted to move.

    seq, at, day: of its event; book time in Unix ms, and the ordinal (`date.toordinal`) of the business day.
    source, target: accounts of the book; empty where it is outside, and then `outside` is that side's key
    (`schemas.payees.payee_key`).   source_party, target_party: of those accounts, empty where there is none.
    source_after, target_after: booked balances after it, minor units; 0 for a side outside.
    country: of the side outside, else of the other party.   device, channel: by which it was asked for.
    amount: minor units of `currency`, > 0.   minute: of the local day, 0 to 1439.
    """

    book: str
    seq: int
    at: int
    day: int
    minute: int
    kind: FlowKind
    source: str
    target: str
    source_party: str
    target_party: str
    outside: str
    source_after: int
    target_after: int
    amount: int
    currency: str
    country: str
    channel: str
    device: str


class Holder(msgspec.Struct, gc=False):
    """An account as typologies know it. opened_at, changed_at: book time in ms; changed_at of the party's
    profile, 0 for never.   purpose: the account's product.   kind: of account; typologies look at customers.
    """

    party: str
    product: str
    kind: str
    currency: str
    country: str
    opened_at: int
    changed_at: int = 0


class Directory(Protocol):
    """Who is who, as of the flow."""

    def holder(self, account: str) -> Holder | None:
        """An account of the book."""
        ...


class Typology(Protocol):
    """One pattern over the flows of one book: a pure fold with bounded memory for each account.

    Its state is a msgspec struct or plain fields of one, so that a snapshot is one call: see `state`.
    It sees every flow of its book in order. Its parameters are a document's (`schemas/documents/typologies`),
    given when it is made; new parameters make a new one that takes over the state.
    """

    name: str

    def flow(self, flow: Flow, who: Directory) -> Iterable[Alert]:
        """What this flow completes. Called for every flow: it must be quick where nothing is to be said."""
        ...

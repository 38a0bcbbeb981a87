"""Flows: movements of money as typologies look at them, one shape for transfers and payments in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal, Protocol

import msgspec

from schemas.alerts import Alert

FlowKind = Literal["transfer", "payment_out", "payment_in", "cross_out", "cross_in", "exchange"]
"""cross: to or from another book of the site."""
MOVED: Final[frozenset[FlowKind]] = frozenset(
    {"transfer", "payment_out", "payment_in", "cross_out", "cross_in"}
)
"""What typologies look at unless they say otherwise: money that has come or gone."""


class Flow(msgspec.Struct, frozen=True, gc=False):
    """Money that has moved: a payment out when it is sent, one to another book when that has credited it.

    seq, at, day: of its event; book time in Unix ms, and the ordinal (`date.toordinal`) of the business day.
    source, target: accounts of the book; empty where it is outside, and then `outside` is that side's key
    (`schemas.payees.payee_key`).   source_party, target_party: of those accounts, empty where there is none.
    source_after, target_after: booked balances after it, minor units; 0 for a side outside.
    country: of the side outside, else of the other party.   device, channel: by which it was asked for.
    amount: minor units of `currency`, > 0.   minute: of the local day, 0 to 1439.
    movement: the id of the payment, receipt or payment between books; empty for a transfer.
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
    movement: str


class Holder(msgspec.Struct, gc=False):
    """An account as typologies know it. opened_at, changed_at: book time in ms; changed_at of the party's
    profile, 0 for never.   product: the account's.   kind: of account; typologies look at customers.
    last_at: book time of the last flow of the account, before the one that is looked at; 0 for none.
    account: its id, the one text that all flows share: a look-up by it compares no characters.
    """

    party: str
    product: str
    kind: str
    currency: str
    country: str
    opened_at: int
    changed_at: int = 0
    last_at: int = 0
    account: str = ""


class Directory(Protocol):
    """Who is who, as of the flow."""

    def holder(self, account: str) -> Holder | None:
        """An account of the book."""
        ...


class Typology(Protocol):
    """One pattern over the flows of one book: a pure fold with bounded memory for each account.

    It sees every flow of its kinds in order, but for those between accounts of one party. Its parameters are
    a document's (`schemas/documents/typologies.py`), given when it is made; new parameters make a new one,
    which takes over the state. So a state holds what happened, never what parameters made of it.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[FlowKind]]
    State: ClassVar[Any]
    """The type of its state: a msgspec struct, written to snapshots as JSON whole."""
    state: Any

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """What this flow completes. Called for every flow: it must be quick where nothing is to be said."""
        ...

    def new_day(self, at: int) -> None:
        """A business day began: what is kept of who was idle for long is let go."""
        ...

    def taken_back(self, flow: Flow) -> None:
        """A flow was taken back whole: it counts no more, as far as it still counts. `flow` is as the first
        one, but for its place and time; its seq is the first one's where that is known, else 0.
        """
        ...

"""Accounts: customers' and the bank's own, their overdraft, their blocks."""

from __future__ import annotations

from schemas.fields import (
    AccountId,
    AccountKind,
    AmountOrZero,
    BlockId,
    Currency,
    Direction,
    Label,
    Millis,
    NewId,
    Text,
)
from schemas.message import Command, Event


class OpenAccount(Command, tag="OpenAccount"):
    """Open an account for a party (kind `customer`) or of the bank's own (every other kind, without a party).

    ledger: line of the chart of accounts; empty for the first line of the kind.
    overdraft: how far below zero a customer account may go, minor units.
    """

    account: NewId
    currency: Currency
    party: Label = ""
    kind: AccountKind = "customer"
    product: Label = ""
    branch: Label = ""
    ledger: Label = ""
    overdraft: AmountOrZero = 0


class SetOverdraft(Command, tag="SetOverdraft"):
    """Set how far below zero a customer account may go, minor units."""

    account: AccountId
    overdraft: AmountOrZero


BY_HOLDER = "customer"
"""The authority of a block that the account's holder wished for: the only one that callers are told of."""


class BlockAccount(Command, tag="BlockAccount"):
    """Block an account's debits, credits or both. Every block is a record of its own and is lifted by itself.

    authority: who ordered it: a court, compliance, or `customer` for the holder's own wish.
    expires_at_ms: book time, or never.
    """

    account: AccountId
    block: NewId
    direction: Direction
    authority: Text
    reason: Text
    expires_at_ms: Millis | None = None


class LiftBlock(Command, tag="LiftBlock"):
    """Lift one block; the others stay."""

    account: AccountId
    block: BlockId
    reason: Text


class CloseAccount(Command, tag="CloseAccount"):
    """Close an account that holds nothing."""

    account: AccountId
    reason: Text


class AccountOpened(Event, tag="AccountOpened"):
    """An account is open with a balance of zero."""

    account: str
    currency: str
    party: str
    kind: AccountKind
    product: str
    branch: str
    ledger: str
    overdraft: int


class OverdraftSet(Event, tag="OverdraftSet"):
    """The account may go `overdraft` minor units below zero."""

    account: str
    before: int
    overdraft: int


class AccountBlocked(Event, tag="AccountBlocked"):
    """A block stands on the account."""

    account: str
    block: str
    direction: Direction
    authority: str
    reason: str
    expires_at_ms: int | None


class BlockLifted(Event, tag="BlockLifted"):
    """A block was lifted, by command or, where `expired`, by its timer."""

    account: str
    block: str
    reason: str
    expired: bool


class AccountClosed(Event, tag="AccountClosed"):
    """The account takes no more postings."""

    account: str
    reason: str


COMMANDS = (OpenAccount, SetOverdraft, BlockAccount, LiftBlock, CloseAccount)
EVENTS = (AccountOpened, OverdraftSet, AccountBlocked, BlockLifted, AccountClosed)

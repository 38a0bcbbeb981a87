"""Approvals: commands that wait for other people's yes, and what came of them.

An approval is named by the seq of its `ApprovalRequested`.
"""

from __future__ import annotations

from typing import Annotated, Any

import annotated_types as at
import msgspec
from msgspec import Meta

from schemas.documents.approval_policies import Group
from schemas.fees import Fee
from schemas.fields import ActorId, Id, Millis, NewId, Personal, RoleId, Seq, Text
from schemas.message import Command, Event, Value
from schemas.reserves import Reserve, Use


class Moved(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Money that would move on an account, all postings together; minor units, positive is credit."""

    account: str
    amount: int
    currency: str


class Shown(msgspec.Struct, frozen=True):
    """What an approver is shown beside the command: the terms on which it would be done now.

    moved: by account, the first hundred.   fees: each with its tariff line.   value_dates, rates: as decided.
    documents: version of each document that it rests on, by `kind/id`.   events: what would happen.
    """

    moved: tuple[Moved, ...]
    fees: tuple[Fee, ...]
    value_dates: tuple[str, ...]
    rates: tuple[str, ...]
    documents: dict[str, str]
    events: tuple[str, ...]


class Asked(Value):
    """By what policy it waits. policy: the document's id, `~four-eyes` for what a book opens with.

    needs, distinct_roles, delegation: as the line says.
    """

    policy: str
    version: int
    line: str
    needs: tuple[Group, ...]
    distinct_roles: bool
    delegation: bool


class Approve(Command, tag="Approve"):
    """Say yes to what waits. shown: the digest it was shown with, so that nobody approves other terms."""

    approval: Seq
    shown: Id


class Decline(Command, tag="Decline"):
    """Say no to what waits; that is the end of it."""

    approval: Seq
    reason: Text


class Withdraw(Command, tag="Withdraw"):
    """Take back, as its maker, what waits."""

    approval: Seq
    reason: Text


class Delegate(Command, tag="Delegate"):
    """Let somebody approve in the sender's place while absent, by these roles of the sender's."""

    delegation: NewId
    to: ActorId
    roles: Annotated[tuple[RoleId, ...], Meta(min_length=1, max_length=20), at.Len(1, 20)]
    from_ms: Millis
    until_ms: Millis
    reason: Text


class RevokeDelegation(Command, tag="RevokeDelegation"):
    """End a delegation before its time, as who gave it or as who has it."""

    delegation: Id


class ApprovalRequested(Event, tag="ApprovalRequested"):
    """A command was tried, would be accepted, and waits for approval.

    asked: the command, whole.   maker, person: who sent it, and who that is; person is empty for systems.
    shown: SHA-256, in hex, over command and terms.   reserves, uses: its funds and limits while it waits.
    counts: what its maker sends to its payee, for lines that add that up.
    """

    asked: Annotated[dict[str, Any], Personal]
    maker: str
    person: str
    by: Asked
    expires_at_ms: int
    shown: str
    terms: Shown
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    counts: tuple[Use, ...]


class ApprovalGiven(Event, tag="ApprovalGiven"):
    """Somebody said yes. Where `missing` is 0 it has its quorum, and the command is decided again.

    user, person: who.   roles: by which of their roles, or of those of `on_behalf_of` by a `delegation`.
    override: by an emergency role alone.   lapsed: persons whose yes no longer counts, since what gave them
    the right is gone.   reserves, uses: what is released with the quorum.
    roles_left, persons_left: who could still help, where it has no quorum yet.
    """

    approval: int
    user: str
    person: str
    roles: tuple[str, ...]
    on_behalf_of: str
    delegation: str
    override: bool
    shown: str
    lapsed: tuple[str, ...]
    missing: int
    roles_left: tuple[str, ...]
    persons_left: tuple[str, ...]
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]


class ApprovalFailed(Event, tag="ApprovalFailed"):
    """It had its quorum, and the command was refused all the same. reason, figures: of that rejection."""

    approval: int
    reason: str
    figures: dict[str, int | str]
    restricted: str
    counts: tuple[Use, ...]


class TermsChanged(Event, tag="TermsChanged"):
    """It had its quorum, but would be done on other terms than were shown, so it waits anew for every yes."""

    approval: int
    by: Asked
    shown: str
    terms: Shown
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]


class ApprovalDeclined(Event, tag="ApprovalDeclined"):
    """Somebody who could have said yes said no."""

    approval: int
    user: str
    person: str
    reason: str
    override: bool
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    counts: tuple[Use, ...]


class ApprovalWithdrawn(Event, tag="ApprovalWithdrawn"):
    """Its maker took it back."""

    approval: int
    reason: str
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    counts: tuple[Use, ...]


class ApprovalExpired(Event, tag="ApprovalExpired"):
    """Its time was over."""

    approval: int
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    counts: tuple[Use, ...]


class AmountCounted(Event, tag="AmountCounted"):
    """What was just accepted counts in what its maker sends to its payee."""

    counts: tuple[Use, ...]


class DelegationGiven(Event, tag="DelegationGiven"):
    """`to` may approve in the place of `delegator`, by these roles, from a time to a time."""

    delegation: str
    delegator: str
    to: str
    roles: tuple[str, ...]
    from_ms: int
    until_ms: int
    reason: str


class DelegationEnded(Event, tag="DelegationEnded"):
    """The delegation is over: its time was, or it was revoked."""

    delegation: str


COMMANDS = (Approve, Decline, Withdraw, Delegate, RevokeDelegation)
EVENTS = (
    ApprovalRequested,
    ApprovalGiven,
    ApprovalFailed,
    TermsChanged,
    ApprovalDeclined,
    ApprovalWithdrawn,
    ApprovalExpired,
    AmountCounted,
    DelegationGiven,
    DelegationEnded,
)

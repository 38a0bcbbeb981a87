"""Roles: what each permits, which is for emergencies, and what no role may permit at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.access import Permit
from schemas.documents.document import Document, Problem
from schemas.fields import NewId, NoNul
from schemas.message import Value

Name = Annotated[str, Meta(min_length=1, max_length=64), at.Len(1, 64), NoNul]


class Pair(Value):
    """Two commands that one role must not permit both."""

    one: Name
    other: Name


_MAKING = (
    "Transfer",
    "PostEntries",
    "PostBackValued",
    "ReverseTransfer",
    "RefundTransfer",
    "PlaceHold",
    "RaiseHold",
    "CaptureHold",
    "SubmitPayment",
    "SubmitBulk",
    "SchedulePayment",
    "CreateStandingOrder",
    "ChangeStandingOrder",
    "Exchange",
    "SendToBook",
    "ReceiveFromBook",
    "ReceivePayment",
    "ResolveSuspense",
    "ReturnReceipt",
    "RefundReceipt",
    "RepairPayment",
    "SetOverdraft",
    "RaiseLimit",
    "WaiveFee",
    "PublishDocument",
    "RegisterUser",
    "DefineRole",
    "GrantRole",
)
TOXIC: tuple[Pair, ...] = (
    *(Pair(one=name, other="Approve") for name in _MAKING),
    Pair(one="RegisterUser", other="GrantRole"),
)
"""Toxic unless a document says otherwise: to make and to check, to grant roles and to approve, to make a user
and to give it roles."""


class RoleDefinition(Value):
    """A role. emergency: its holders may check in anybody's place; every use of it is listed."""

    id: NewId
    permits: Annotated[tuple[Permit, ...], Meta(max_length=1_000), at.MaxLen(1_000)]
    emergency: bool = False


class Roles(Document):
    """Roles that are defined, or defined anew, when it takes effect; others stay as they are.

    toxic: pairs of commands that no role may permit both; the built-in list where it is not given.
    """

    roles: Annotated[tuple[RoleDefinition, ...], Meta(max_length=500), at.MaxLen(500)]
    toxic: Annotated[tuple[Pair, ...], Meta(max_length=1_000), at.MaxLen(1_000)] | None = None

    def problems(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, role in enumerate(self.roles):
            if role.id in seen:
                yield Problem(f"roles[{index}].id", f"there is a role {role.id} already")
            seen.add(role.id)
            yield from toxic_in(f"roles[{index}].permits", role.permits, self.pairs())

    def pairs(self) -> tuple[Pair, ...]:
        """The toxic pairs that hold with this document."""
        return TOXIC if self.toxic is None else self.toxic


def toxic_in(path: str, permits: tuple[Permit, ...], pairs: tuple[Pair, ...]) -> Iterator[Problem]:
    """The toxic pairs that a role permits. `*` permits every command, so it holds each of them."""
    names = [permit.command for permit in permits]
    if "*" in names:
        if pairs:
            yield Problem(
                f"{path}[{names.index('*')}]",
                "* permits everything, also to make and to check; list commands",
            )
        return
    for pair in pairs:
        if pair.one in names and pair.other in names:
            later = max(names.index(pair.one), names.index(pair.other))
            yield Problem(f"{path}[{later}]", f"one role must not permit both {pair.one} and {pair.other}")

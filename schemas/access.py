"""Access: persons, their users, systems, and roles as permitted commands with a scope."""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.fields import (
    AccountKind,
    ActorId,
    Amount,
    Currency,
    Label,
    NewId,
    NoNul,
    PersonalText,
    PersonId,
    RoleId,
    Text,
)
from schemas.message import Command, Event, Value

Few = at.MaxLen(1_000)


class Scope(Value):
    """What a permission reaches. An empty part does not restrict; a part that cannot be judged refuses.

    own_party: only accounts and data of the party behind the user.
    account_kinds, products, branches: of every account that the command takes from or changes; of a posting
    with several legs, of every leg.   amounts: the largest amount a command may move, all its legs together,
    by currency; a currency that is not listed is refused.
    """

    own_party: bool = False
    account_kinds: Annotated[tuple[AccountKind, ...], Meta(max_length=1_000), Few] = ()
    products: Annotated[tuple[Label, ...], Meta(max_length=1_000), Few] = ()
    branches: Annotated[tuple[Label, ...], Meta(max_length=1_000), Few] = ()
    amounts: dict[Currency, Amount] = {}


class Permit(Value):
    """Leave to send one type of command, or every type (`*`), within a scope."""

    command: Annotated[str, Meta(min_length=1, max_length=64), at.Len(1, 64), NoNul]
    scope: Scope = Scope()


class RegisterPerson(Command, tag="RegisterPerson"):
    """Make a member of staff or a representative known, so that users can be theirs."""

    person: NewId
    name: PersonalText


class RegisterUser(Command, tag="RegisterUser"):
    """Give a person a user to act as. party: on whose behalf, for scopes of its own; empty for staff."""

    user: NewId
    person: PersonId
    party: Label = ""


class RegisterSystem(Command, tag="RegisterSystem"):
    """Make an upstream system known as an actor. It can never approve, grant or publish."""

    system: NewId
    purpose: Text


class SuspendActor(Command, tag="SuspendActor"):
    """Stop a user or system from doing anything until reinstated."""

    subject: ActorId
    reason: Text


class ReinstateActor(Command, tag="ReinstateActor"):
    """Let a suspended user or system act again."""

    subject: ActorId
    reason: Text


class DefineRole(Command, tag="DefineRole"):
    """Define a role, or define it anew: which commands it permits, within which scope."""

    role: NewId
    permits: Annotated[tuple[Permit, ...], Meta(max_length=1_000), Few]


class GrantRole(Command, tag="GrantRole"):
    """Give a user or system a role."""

    subject: ActorId
    role: RoleId


class RevokeRole(Command, tag="RevokeRole"):
    """Take a role from a user or system."""

    subject: ActorId
    role: RoleId


class PersonRegistered(Event, tag="PersonRegistered"):
    """A person is known."""

    person: str
    name: PersonalText


class UserRegistered(Event, tag="UserRegistered"):
    """A person has a user."""

    user: str
    person: str
    party: str


class SystemRegistered(Event, tag="SystemRegistered"):
    """A system may be given roles."""

    system: str
    purpose: str


class ActorSuspended(Event, tag="ActorSuspended"):
    """The user or system may do nothing."""

    subject: str
    reason: str


class ActorReinstated(Event, tag="ActorReinstated"):
    """The user or system may act again."""

    subject: str
    reason: str


class RoleDefined(Event, tag="RoleDefined"):
    """The role permits exactly this."""

    role: str
    permits: tuple[Permit, ...]


class RoleGranted(Event, tag="RoleGranted"):
    """The user or system has the role."""

    subject: str
    role: str


class RoleRevoked(Event, tag="RoleRevoked"):
    """The user or system no longer has the role."""

    subject: str
    role: str


COMMANDS = (
    RegisterPerson,
    RegisterUser,
    RegisterSystem,
    SuspendActor,
    ReinstateActor,
    DefineRole,
    GrantRole,
    RevokeRole,
)
EVENTS = (
    PersonRegistered,
    UserRegistered,
    SystemRegistered,
    ActorSuspended,
    ActorReinstated,
    RoleDefined,
    RoleGranted,
    RoleRevoked,
)

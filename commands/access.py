"""What is decided about who may do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from book.access import scopes_of
from book.state import Actor, Book, Role
from commands.decision import Decision
from commands.permission import FOR_PEOPLE_NAMES
from schemas.access import (
    ActorReinstated,
    ActorSuspended,
    DefineRole,
    GrantRole,
    PersonRegistered,
    RegisterPerson,
    RegisterSystem,
    RegisterUser,
    ReinstateActor,
    RevokeRole,
    RoleDefined,
    RoleGranted,
    RoleRevoked,
    SuspendActor,
    SystemRegistered,
    UserRegistered,
)
from schemas.catalogue import COMMAND_TYPES
from schemas.rejections import reject


def register_person(book: Book, command: RegisterPerson, at_ms: int) -> Decision:
    """Rejected: person_exists."""
    if command.person in book.persons:
        return reject("person_exists", person=command.person)
    return PersonRegistered(person=command.person, name=command.name)


def register_user(book: Book, command: RegisterUser, at_ms: int) -> Decision:
    """Rejected, in this order: actor_exists, person_not_found, party_not_found."""
    if command.user in book.actors:
        return reject("actor_exists", actor=command.user)
    if command.person not in book.persons:
        return reject("person_not_found", person=command.person)
    if command.party and command.party not in book.parties:
        return reject("party_not_found", party=command.party)
    return UserRegistered(user=command.user, person=command.person, party=command.party)


def register_system(book: Book, command: RegisterSystem, at_ms: int) -> Decision:
    """Rejected: actor_exists."""
    if command.system in book.actors:
        return reject("actor_exists", actor=command.system)
    return SystemRegistered(system=command.system, purpose=command.purpose)


def suspend_actor(book: Book, command: SuspendActor, at_ms: int) -> Decision:
    """Rejected, in this order: actor_not_found, actor_already_suspended, last_administrator."""
    actor = book.actors.get(command.subject)
    if actor is None:
        return reject("actor_not_found", actor=command.subject)
    if actor.suspended:
        return reject("actor_already_suspended", actor=command.subject)
    if not someone_can_grant(book, without=command.subject):
        return reject("last_administrator")
    return ActorSuspended(subject=command.subject, reason=command.reason)


def reinstate_actor(book: Book, command: ReinstateActor, at_ms: int) -> Decision:
    """Rejected, in this order: actor_not_found, actor_not_suspended."""
    actor = book.actors.get(command.subject)
    if actor is None:
        return reject("actor_not_found", actor=command.subject)
    if not actor.suspended:
        return reject("actor_not_suspended", actor=command.subject)
    return ActorReinstated(subject=command.subject, reason=command.reason)


def define_role(book: Book, command: DefineRole, at_ms: int) -> Decision:
    """Rejected, in this order: unknown_command_type, toxic_permissions, not_for_systems, last_administrator.

    `*` holds every toxic pair. A book without four eyes may still have it.
    """
    for permit in command.permits:
        if permit.command != "*" and permit.command not in COMMAND_TYPES:
            return reject("unknown_command_type", command=permit.command)
    role = Role(command.permits, scopes_of(command.permits))
    for pair in book.in_force.toxic:
        if {pair.one, pair.other} <= role.scopes.keys() or (book.four_eyes and "*" in role.scopes):
            return reject("toxic_permissions", one=pair.one, other=pair.other)
    barred = sorted(FOR_PEOPLE_NAMES & role.scopes.keys())
    if barred and any(not one.person and command.role in one.roles for one in book.actors.values()):
        return reject("not_for_systems", command=barred[0])
    if command.role in book.roles and not someone_can_grant(book, redefined={command.role: role}):
        return reject("last_administrator")
    return RoleDefined(role=command.role, permits=command.permits)


def grant_role(book: Book, command: GrantRole, at_ms: int) -> Decision:
    """Rejected, in this order: actor_not_found, role_not_found, role_already_granted, not_for_systems."""
    actor = book.actors.get(command.subject)
    if actor is None:
        return reject("actor_not_found", actor=command.subject)
    role = book.roles.get(command.role)
    if role is None:
        return reject("role_not_found", role=command.role)
    if command.role in actor.roles:
        return reject("role_already_granted", actor=command.subject, role=command.role)
    barred = sorted(FOR_PEOPLE_NAMES & role.scopes.keys())
    if barred and not actor.person:
        return reject("not_for_systems", command=barred[0])
    return RoleGranted(subject=command.subject, role=command.role)


def revoke_role(book: Book, command: RevokeRole, at_ms: int) -> Decision:
    """Rejected, in this order: actor_not_found, role_not_granted, last_administrator."""
    actor = book.actors.get(command.subject)
    if actor is None:
        return reject("actor_not_found", actor=command.subject)
    if command.role not in actor.roles:
        return reject("role_not_granted", actor=command.subject, role=command.role)
    if not someone_can_grant(book, revoked=(command.subject, command.role)):
        return reject("last_administrator")
    return RoleRevoked(subject=command.subject, role=command.role)


def someone_can_grant(
    book: Book,
    without: str = "",
    revoked: tuple[str, str] = ("", ""),
    redefined: Mapping[str, Role] | None = None,
) -> bool:
    """Whether, after the change in question, somebody still could grant roles without a limit of scope."""

    def grants(role: str) -> bool:
        scopes = (redefined or {}).get(role, book.roles[role]).scopes
        return scopes.get("GrantRole") == () or scopes.get("*") == ()

    def can(name: str, actor: Actor) -> bool:
        return bool(
            actor.person
            and not actor.suspended
            and name != without
            and any(grants(role) for role in actor.roles if (name, role) != revoked)
        )

    return any(can(name, actor) for name, actor in book.actors.items())


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    RegisterPerson: register_person,
    RegisterUser: register_user,
    RegisterSystem: register_system,
    SuspendActor: suspend_actor,
    ReinstateActor: reinstate_actor,
    DefineRole: define_role,
    GrantRole: grant_role,
    RevokeRole: revoke_role,
}

"""What changes who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Actor, Book, Role
from schemas.access import (
    ActorReinstated,
    ActorSuspended,
    Permit,
    PersonRegistered,
    RoleDefined,
    RoleGranted,
    RoleRevoked,
    Scope,
    SystemRegistered,
    UserRegistered,
)

UNLIMITED = Scope()


def person_registered(book: Book, event: PersonRegistered) -> None:
    """The person can be given users."""
    book.persons[event.person] = event.name


def user_registered(book: Book, event: UserRegistered) -> None:
    """The user can be given roles."""
    book.actors[event.user] = Actor(person=event.person, party=event.party)
    if event.party:
        own = book.cases.own.get(event.person, ())
        book.cases.own[event.person] = own if event.party in own else (*own, event.party)


def system_registered(book: Book, event: SystemRegistered) -> None:
    """The system can be given roles."""
    book.actors[event.system] = Actor(person="", party="")


def actor_suspended(book: Book, event: ActorSuspended) -> None:
    """The actor may do nothing."""
    book.actors[event.subject].suspended = True


def actor_reinstated(book: Book, event: ActorReinstated) -> None:
    """The actor may do again what its roles permit."""
    book.actors[event.subject].suspended = False


def role_defined(book: Book, event: RoleDefined) -> None:
    """The role permits exactly what the event says, for everyone who has it."""
    book.roles[event.role] = Role(event.permits, scopes_of(event.permits))


def scopes_of(permits: tuple[Permit, ...]) -> dict[str, tuple[Scope, ...]]:
    """The scopes by command type, as the permission check reads them; `()` where one has no limit."""
    scopes: dict[str, list[Scope]] = {}
    for permit in permits:
        scopes.setdefault(permit.command, []).append(permit.scope)
    return {command: () if UNLIMITED in reach else tuple(reach) for command, reach in scopes.items()}


def role_granted(book: Book, event: RoleGranted) -> None:
    """The actor has one role more."""
    book.actors[event.subject].roles.append(event.role)


def role_revoked(book: Book, event: RoleRevoked) -> None:
    """The actor has one role less."""
    book.actors[event.subject].roles.remove(event.role)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    PersonRegistered: person_registered,
    UserRegistered: user_registered,
    SystemRegistered: system_registered,
    ActorSuspended: actor_suspended,
    ActorReinstated: actor_reinstated,
    RoleDefined: role_defined,
    RoleGranted: role_granted,
    RoleRevoked: role_revoked,
}

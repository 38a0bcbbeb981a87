"""Who may say yes to what waits, by which right; and whose yes still counts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from book.state import Actor, Book
from book.waiting import Approved, Waiting
from commands.interested import interested
from commands.permission import may_alone, permits
from commands.quorum import Checker
from schemas.approvals import Approve, Decline


class Right(msgspec.Struct, frozen=True):
    """By what a user may decide. roles: of the user's own, or of `on_behalf_of`'s by a delegation.

    person, behind: who that is, and who `on_behalf_of` is.   override: by an emergency role alone.
    """

    person: str
    roles: tuple[str, ...]
    on_behalf_of: str = ""
    behind: str = ""
    delegation: str = ""
    override: bool = False

    def checker(self) -> Checker:
        """As it is counted: where persons are named, who stands in counts as who is stood in for."""
        return Checker(self.behind or self.person, frozenset(self.roles), self.override)


def rights_of(book: Book, waiting: Waiting, command: Approve | Decline, at_ms: int) -> Iterator[Right]:
    """The user's own roles first, then those of people that it stands in for, then its emergency roles.

    A delegation never goes beyond what the delegator could do, and never leads back to the maker or to
    somebody who counts already.
    """
    user = book.actors[command.actor]
    alone = may_alone(book, command, command.actor)
    if alone:
        yield Right(user.person, _asked_roles(waiting, tuple(user.roles)))
    if waiting.by.delegation:
        taken = {waiting.person, user.person, *interested(book, waiting)}
        for valid in standing(book, waiting):
            taken |= {valid.person, valid.behind}
        for name, one in book.approvals.delegations.items():
            if one.to != command.actor or not one.from_ms <= at_ms < one.until_ms:
                continue
            delegator = book.actors[one.delegator]
            if delegator.person not in taken and may_alone(book, command, one.delegator):
                held = tuple(role for role in one.roles if role in delegator.roles)
                if roles := _asked_roles(waiting, held):
                    yield Right(user.person, roles, one.delegator, delegator.person, name)
    emergency = tuple(role for role in user.roles if role in book.in_force.emergency)
    if alone and emergency:
        yield Right(user.person, emergency, override=True)


def _asked_roles(waiting: Waiting, held: tuple[str, ...]) -> tuple[str, ...]:
    asked = {role for group in waiting.by.needs for role in group.roles}
    return tuple(role for role in held if role in asked)


def standing(book: Book, waiting: Waiting) -> list[Approved]:
    """The approvals that still count: who gave them is not suspended and still has what gave the right."""
    return [one for one in waiting.approvals if _stands(book, one)]


def _stands(book: Book, one: Approved) -> bool:
    user = book.actors[one.user]
    source = one.on_behalf_of or one.user
    if user.suspended or not permits(book, source, Approve):
        return False
    held = _held(book, book.actors[source], one)
    return bool(held) or not one.roles


def _held(book: Book, source: Actor, one: Approved) -> tuple[str, ...]:
    return tuple(
        role
        for role in one.roles
        if role in source.roles and (not one.override or role in book.in_force.emergency)
    )


def checker_of(book: Book, one: Approved) -> Checker:
    """An approval as it is counted, by the roles that are still held."""
    held = _held(book, book.actors[one.on_behalf_of or one.user], one)
    return Checker(one.behind or one.person, frozenset(held), one.override)

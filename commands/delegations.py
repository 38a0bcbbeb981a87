"""What is decided about standing in for somebody who is absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from commands.decision import Decision
from schemas.approvals import Delegate, DelegationEnded, DelegationGiven, RevokeDelegation
from schemas.rejections import reject

LONGEST_MS = 366 * 86_400_000


def delegate(book: Book, command: Delegate, at_ms: int) -> Decision:
    """Rejected, in this order: delegation_exists, actor_not_found, not_for_systems, delegation_to_self,
    role_not_granted, delegation_period.
    """
    if command.delegation in book.approvals.delegations:
        return reject("delegation_exists", delegation=command.delegation)
    to = book.actors.get(command.to)
    if to is None:
        return reject("actor_not_found", actor=command.to)
    if not to.person:
        return reject("not_for_systems", command="Approve")
    delegator = book.actors[command.actor]
    if to.person == delegator.person:
        return reject("delegation_to_self")
    for role in command.roles:
        if role not in delegator.roles:
            return reject("role_not_granted", actor=command.actor, role=role)
    begins_ms = max(command.from_ms, at_ms)
    if not begins_ms < command.until_ms <= begins_ms + LONGEST_MS:
        return reject("delegation_period", at=at_ms)
    return DelegationGiven(
        delegation=command.delegation,
        delegator=command.actor,
        to=command.to,
        roles=command.roles,
        from_ms=command.from_ms,
        until_ms=command.until_ms,
        reason=command.reason,
    )


def revoke_delegation(book: Book, command: RevokeDelegation, at_ms: int) -> Decision:
    """Rejected, in this order: delegation_not_found, not_delegator."""
    found = book.approvals.delegations.get(command.delegation)
    if found is None:
        return reject("delegation_not_found", delegation=command.delegation)
    persons = {book.actors[one].person for one in (found.delegator, found.to)}
    if book.actors[command.actor].person not in persons:
        return reject("not_delegator")
    return DelegationEnded(delegation=command.delegation)


def end(book: Book, rest: str, due_ms: int) -> DelegationEnded:
    """The timer of a delegation: its time is over."""
    return DelegationEnded(delegation=rest)


DECIDE: dict[type, Callable[[Book, Any, int], Decision]] = {
    Delegate: delegate,
    RevokeDelegation: revoke_delegation,
}

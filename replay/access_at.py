"""`access_at`: who could do what at a time, as the fold of the log says, and what was done by override."""

from __future__ import annotations

import msgspec

from book.state import Book
from engine.log.records import BEFORE_FIRST
from replay.answers import History
from replay.as_of import as_of
from schemas.access import Permit
from schemas.approvals import ApprovalDeclined, ApprovalGiven
from schemas.catalogue import decode_event


class Could(msgspec.Struct, frozen=True):
    """An actor as it was. permits: by role.   stands_in_for: by delegations that held then.

    checks: the policy lines, as `policy/line`, for which it could say yes by a role of its own or by name.
    """

    actor: str
    person: str
    party: str
    suspended: bool
    roles: tuple[str, ...]
    emergency: tuple[str, ...]
    permits: dict[str, tuple[Permit, ...]]
    stands_in_for: tuple[str, ...]
    checks: tuple[str, ...]


class Override(msgspec.Struct, frozen=True):
    """A yes or no by an emergency role alone."""

    seq: int
    at: int
    approval: int
    answer: str
    actor: str
    person: str


class Access(msgspec.Struct, frozen=True):
    """Everyone's access after the event `seq`, and all overrides up to it."""

    book: str
    seq: int
    at: int
    actors: list[Could]
    overrides: list[Override]


def access_at(log: History, book: str, *, at_ms: int | None = None) -> Access:
    """Who could do what at a time, or now. Raises NotKnown."""
    then = as_of(log, book, at_ms=at_ms).book
    asked_ms = then.at if at_ms is None else at_ms
    return Access(book, then.seq, then.at, _actors(then, asked_ms), _overrides(log, book, then.seq))


def _actors(book: Book, at_ms: int) -> list[Could]:
    lines = {
        f"{one.policy}/{one.line.id}": one.line
        for found in book.in_force.policies.values()
        for one in found.lines
    }
    standing: dict[str, list[str]] = {}
    for one in book.approvals.delegations.values():
        if one.from_ms <= at_ms < one.until_ms:
            standing.setdefault(one.to, []).append(f"{one.delegator} ({', '.join(one.roles)})")
    return [
        Could(
            actor=name,
            person=actor.person,
            party=actor.party,
            suspended=actor.suspended,
            roles=tuple(actor.roles),
            emergency=tuple(role for role in actor.roles if role in book.in_force.emergency),
            permits={role: book.roles[role].permits for role in actor.roles},
            stands_in_for=tuple(standing.get(name, ())),
            checks=tuple(
                where
                for where, line in lines.items()
                if any(
                    (not group.persons or actor.person in group.persons)
                    and (not group.roles or set(group.roles) & set(actor.roles))
                    for group in line.needs
                )
            ),
        )
        for name, actor in book.actors.items()
    ]


def _overrides(log: History, book: str, seq: int) -> list[Override]:
    found = []
    key = book.encode()
    for record in log.events(BEFORE_FIRST):
        if record.key != key or b'"override":true' not in record.value:
            continue
        event = decode_event(record.value)
        if event.seq > seq:
            break
        if isinstance(event, ApprovalGiven | ApprovalDeclined) and event.override:
            answer = "yes" if isinstance(event, ApprovalGiven) else "no"
            found.append(Override(event.seq, event.at, event.approval, answer, event.user, event.person))
    return found

"""What only the book can tell about approval policies and roles: whether what they name is there, and whether
anybody could satisfy them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from book.access import scopes_of
from book.state import Book, Role
from commands.access import someone_can_grant
from commands.decision import knows_currency
from commands.permission import FOR_PEOPLE_NAMES, permits
from commands.quorum import Checker, can_satisfy
from schemas.approvals import Approve
from schemas.catalogue import COMMAND_TYPES
from schemas.documents.approval_policies import ApprovalPolicy, PolicyLine
from schemas.documents.document import Problem
from schemas.documents.roles import Roles

NEVER_WAIT: dict[str, str] = {
    "OpenBook": "the system book answers it, where no policy is in force",
    "AdvanceTime": "time moves with the command itself",
    "ConfirmClock": "until the clock is confirmed the book stands still",
    "Approve": "an approval cannot wait for an approval",
    "Decline": "an approval cannot wait for an approval",
    "Withdraw": "an approval cannot wait for an approval",
}


def approval_policy(book: Book, policy: ApprovalPolicy) -> Iterator[Problem]:
    """Unknown commands, kinds, currencies, roles and persons; and lines that nobody could satisfy."""
    from schemas.documents.kinds import DOCUMENTS  # noqa: PLC0415 - kinds knows this document

    for index, line in enumerate(policy.lines):
        path = f"lines[{index}]"
        for number, name in enumerate(line.commands):
            if name not in COMMAND_TYPES:
                yield Problem(f"{path}.commands[{number}]", f"there is no command type {name}")
            elif name in NEVER_WAIT:
                yield Problem(f"{path}.commands[{number}]", f"{name} cannot wait: {NEVER_WAIT[name]}")
        for number, kind in enumerate(line.when.document_kinds):
            if kind not in DOCUMENTS:
                yield Problem(f"{path}.when.document_kinds[{number}]", f"there is no kind {kind}")
        together = line.when.together
        for part, amounts in (
            ("amounts", line.when.amounts),
            ("together.amounts", together.amounts if together else {}),
        ):
            for currency in amounts:
                if not knows_currency(book, currency):
                    yield Problem(f"{path}.when.{part}.{currency}", f"there is no currency {currency}")
        found = list(_names(book, path, line))
        yield from found or _satisfiable(book, path, line)


def _names(book: Book, path: str, line: PolicyLine) -> Iterator[Problem]:
    for number, group in enumerate(line.needs):
        for index, role in enumerate(group.roles):
            if role not in book.roles:
                yield Problem(f"{path}.needs[{number}].roles[{index}]", f"there is no role {role}")
        for index, person in enumerate(group.persons):
            if person not in book.persons:
                yield Problem(f"{path}.needs[{number}].persons[{index}]", f"there is no person {person}")


def _satisfiable(book: Book, path: str, line: PolicyLine) -> Iterator[Problem]:
    """The maker never counts. If everyone who may send the command is needed to check it, nobody can."""
    people: dict[str, set[str]] = {}
    for name, actor in book.actors.items():
        if actor.person and permits(book, name, Approve):
            people.setdefault(actor.person, set()).update(actor.roles)
    checkers = [Checker(person, frozenset(roles)) for person, roles in people.items()]
    needs, distinct = line.needs, line.distinct_roles
    if can_satisfy(needs, distinct, checkers):
        makers = {
            actor.person
            for name, actor in book.actors.items()
            if any(
                kind in COMMAND_TYPES and permits(book, name, COMMAND_TYPES[kind]) for kind in line.commands
            )
        }
        if not makers or not makers <= people.keys():
            return
        if any(
            can_satisfy(needs, distinct, [one for one in checkers if one.person != maker])
            for maker in sorted(makers)
        ):
            return
    asked = sum(group.count for group in needs)
    yield Problem(
        f"{path}.needs",
        f"nobody could satisfy it: {asked} different persons beside the maker are asked who have these roles "
        "and may send Approve",
    )


def roles(book: Book, document: Roles) -> Iterator[Problem]:
    """Unknown commands, roles that systems have and must not, and nobody left who could grant roles."""
    redefined = {role.id: Role(role.permits, scopes_of(role.permits)) for role in document.roles}
    for index, role in enumerate(document.roles):
        path = f"roles[{index}].permits"
        for number, permit in enumerate(role.permits):
            if permit.command != "*" and permit.command not in COMMAND_TYPES:
                yield Problem(f"{path}[{number}].command", f"there is no command type {permit.command}")
        barred = sorted(FOR_PEOPLE_NAMES & redefined[role.id].scopes.keys())
        if barred and any(not one.person and role.id in one.roles for one in book.actors.values()):
            yield Problem(path, f"a system has the role {role.id}, and no system may send {barred[0]}")
    for index, pair in enumerate(document.toxic or ()):
        for part, name in (("one", pair.one), ("other", pair.other)):
            if name not in COMMAND_TYPES:
                yield Problem(f"toxic[{index}].{part}", f"there is no command type {name}")
    if not someone_can_grant(book, redefined=redefined):
        yield Problem("roles", "nobody could grant roles any more")


CHECK: dict[str, Callable[[Book, Any], Iterator[Problem]]] = {
    "approval_policy": approval_policy,
    "roles": roles,
}

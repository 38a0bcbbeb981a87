"""Approval policies: which commands need other people's yes, and whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Document, Problem
from schemas.fields import Amount, Currency, Label, NewId, NoNul, PartyRisk, PersonId, RoleId
from schemas.message import Value

MOST_APPROVERS = 6
"""How many persons a line may ask for, all its groups together."""
COMMAND_NAME = Annotated[str, Meta(min_length=1, max_length=64), at.Len(1, 64), NoNul]
Window = Annotated[int, Meta(ge=60, le=366 * 86_400), at.Ge(60), at.Le(366 * 86_400)]
Count = Annotated[int, Meta(ge=1, le=MOST_APPROVERS), at.Ge(1), at.Le(MOST_APPROVERS)]


class Group(Value):
    """Persons of whom some have to say yes.

    roles: each needs one of them.   persons: only these; empty for everybody who has a role.
    count: how many different persons.
    """

    roles: Annotated[tuple[RoleId, ...], Meta(max_length=20), at.MaxLen(20)] = ()
    persons: Annotated[tuple[PersonId, ...], Meta(max_length=100), at.MaxLen(100)] = ()
    count: Count = 1


class Together(Value):
    """What one maker sends to one payee within `window_s`, all of it together, against splitting.

    amounts: from how much on, by currency. What was accepted and what waits both count. The window is counted
    in 24 slices of which the oldest counts whole, so it may ask early and never asks late.
    """

    window_s: Window
    amounts: dict[Currency, Amount]


class When(Value):
    """Which of the commands are meant; all of them where nothing is said.

    document_kinds: of `PublishDocument`, of these kinds.   segments: of parties in these segments.
    risks: of parties of these risks.
    amounts: at or above, by currency.   together: a sum over time.   Of these two, one is enough.
    What cannot be judged (a currency that is not listed, no amount, no party) is meant.
    """

    document_kinds: Annotated[tuple[Label, ...], Meta(max_length=100), at.MaxLen(100)] = ()
    segments: Annotated[tuple[Label, ...], Meta(max_length=100), at.MaxLen(100)] = ()
    risks: Annotated[tuple[PartyRisk, ...], Meta(max_length=4), at.MaxLen(4)] = ()
    amounts: dict[Currency, Amount] = {}
    together: Together | None = None


class PolicyLine(Value):
    """Commands that wait until enough people have said yes.

    commands: their types. A line for `Transfer` or `SubmitPayment` is also for what carries instructions to
    pay: bulks, whose amount is that of all of them together, and orders, whose amount is that of one run.

    needs: groups, each of which has to be complete; a person counts in one.
    distinct_roles: no two of the approvers may count by the same role.
    expires_after_s: after so long without enough of them it is over.
    delegation: whether somebody may stand in for an approver who is absent.
    """

    id: NewId
    commands: Annotated[tuple[COMMAND_NAME, ...], Meta(min_length=1, max_length=200), at.Len(1, 200)]
    needs: Annotated[tuple[Group, ...], Meta(min_length=1, max_length=6), at.Len(1, 6)]
    when: When = When()
    distinct_roles: bool = False
    expires_after_s: Window = 3 * 86_400
    delegation: bool = True


class ApprovalPolicy(Document):
    """Lines that ask for approval. Where several ask, of all policies, the one that asks most persons counts;
    of those that ask as many, the first.
    """

    lines: Annotated[tuple[PolicyLine, ...], Meta(max_length=200), at.MaxLen(200)]

    def problems(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for index, line in enumerate(self.lines):
            path = f"lines[{index}]"
            if line.id in seen:
                yield Problem(f"{path}.id", f"there is a line {line.id} already")
            seen.add(line.id)
            yield from _line_problems(path, line)


def _line_problems(path: str, line: PolicyLine) -> Iterator[Problem]:
    for index, name in enumerate(line.commands):
        if name in line.commands[:index]:
            yield Problem(f"{path}.commands[{index}]", f"{name} stands in the list twice")
    if line.when.document_kinds and line.commands != ("PublishDocument",):
        yield Problem(f"{path}.when.document_kinds", "only a line for PublishDocument alone has kinds")
    if line.when.together is not None and not line.when.together.amounts:
        yield Problem(f"{path}.when.together.amounts", "at least one currency is needed")
    if sum(group.count for group in line.needs) > MOST_APPROVERS:
        yield Problem(f"{path}.needs", f"a line asks at most {MOST_APPROVERS} persons")
    taken: set[str] = set()
    for number, group in enumerate(line.needs):
        yield from _group_problems(f"{path}.needs[{number}]", group)
        if line.distinct_roles:
            if len(group.roles) < group.count:
                yield Problem(
                    f"{path}.needs[{number}].roles", f"{group.count} different roles cannot come of it"
                )
            if taken & set(group.roles):
                yield Problem(
                    f"{path}.needs[{number}].roles", "with distinct_roles a role stands in one group"
                )
            taken |= set(group.roles)


def _group_problems(path: str, group: Group) -> Iterator[Problem]:
    if not group.roles and not group.persons:
        yield Problem(path, "name roles, or persons, or both")
    for part, names in (("roles", group.roles), ("persons", group.persons)):
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Problem(f"{path}.{part}[{index}]", f"{name} stands in the list twice")
    if group.persons and len(group.persons) < group.count:
        yield Problem(f"{path}.persons", f"{group.count} are asked, and {len(group.persons)} are named")

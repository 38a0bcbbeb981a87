"""How many different persons are still missing, given who said yes or could. Pure counting."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.documents.approval_policies import Group


class Checker(msgspec.Struct, frozen=True):
    """A person who says yes. roles: by which they can count.   anywhere: in anybody's place, by an emergency
    role.
    """

    person: str
    roles: frozenset[str]
    anywhere: bool = False


def missing(needs: Sequence[Group], distinct_roles: bool, checkers: Sequence[Checker]) -> int:
    """How many persons the groups still need when everyone counts where they help most, each person once."""
    found: dict[tuple[int, tuple[int, ...], frozenset[str]], int] = {}

    def most(index: int, left: tuple[int, ...], used: frozenset[str]) -> int:
        """How many places the checkers from `index` on can fill."""
        if index == len(checkers) or not any(left):
            return 0
        key = (index, left, used)
        if key not in found:
            checker = checkers[index]
            best = most(index + 1, left, used)
            for number, group in enumerate(needs):
                if left[number] and best < sum(left):
                    rest = (*left[:number], left[number] - 1, *left[number + 1 :])
                    for role in _by(group, checker, distinct_roles, used):
                        taken = used | {role} if role else used
                        best = max(best, 1 + most(index + 1, rest, taken))
            found[key] = best
        return found[key]

    counts = tuple(group.count for group in needs)
    return sum(counts) - most(0, counts, frozenset())


def _by(group: Group, checker: Checker, distinct_roles: bool, used: frozenset[str]) -> list[str]:
    """The roles by which somebody can count in a group: one is as good as another unless they must differ."""
    if checker.anywhere:
        return [""]
    if group.persons and checker.person not in group.persons:
        return []
    if not group.roles:
        return [""]
    held = [role for role in group.roles if role in checker.roles]
    if distinct_roles:
        return [role for role in held if role not in used]
    return [""] if held else []


def roles_left(needs: Sequence[Group], distinct_roles: bool, checkers: Sequence[Checker]) -> tuple[str, ...]:
    """The roles by which somebody who has not said yes could still help; where no persons are named."""
    before = missing(needs, distinct_roles, checkers)
    asked = dict.fromkeys(role for group in needs for role in group.roles if not group.persons)
    return tuple(
        role
        for role in asked
        if missing(needs, distinct_roles, [*checkers, Checker("", frozenset({role}))]) < before
    )


def persons_left(
    needs: Sequence[Group], distinct_roles: bool, checkers: Sequence[Checker]
) -> tuple[str, ...]:
    """The persons that are named and could still help."""
    before = missing(needs, distinct_roles, checkers)
    said = {one.person for one in checkers}
    named = dict.fromkeys(
        (person, group.roles) for group in needs for person in group.persons if person not in said
    )
    return tuple(
        dict.fromkeys(
            person
            for person, roles in named
            if missing(needs, distinct_roles, [*checkers, Checker(person, frozenset(roles))]) < before
        )
    )


def can_satisfy(needs: Sequence[Group], distinct_roles: bool, people: Sequence[Checker]) -> bool:
    """Whether all these people together are enough. Of those who can do the same, no more are looked at than
    could count.
    """
    most = sum(group.count for group in needs)
    asked = frozenset(role for group in needs for role in group.roles)
    alike: dict[tuple[frozenset[str], tuple[bool, ...]], list[Checker]] = {}
    for one in people:
        kind = (one.roles & asked, tuple(one.person in group.persons for group in needs))
        same = alike.setdefault(kind, [])
        if len(same) < most:
            same.append(one)
    return missing(needs, distinct_roles, [one for same in alike.values() for one in same]) == 0

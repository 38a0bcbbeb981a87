"""The naive twin of approvals: everyone's rights and everything that waits in plain dicts, the quorum by
trying every arrangement. It reads no code of ours and is slow, and so it can be read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

THRESHOLD = 100
DAY_MS = 86_400_000
EXPIRES_MS = 2 * DAY_MS
PEOPLE = {"mia": "mia", "mia-2": "mia", "cora": "cora", "carl": "carl", "max": "max", "nora": "nora"}
"""The person behind each user."""
CHECKING = {"checker", "risk", "night"}
"""The roles that may say yes; `night` is for emergencies."""
POLICIES: dict[str, dict[str, Any] | None] = {
    "one checker": {"needs": [{"roles": ["checker"]}]},
    "two checkers": {"needs": [{"roles": ["checker"], "count": 2}]},
    "a checker and risk": {"needs": [{"roles": ["checker"]}, {"roles": ["risk"]}], "delegation": False},
    "two roles": {"needs": [{"roles": ["checker", "risk"], "count": 2}], "distinct_roles": True},
    "one of two": {"needs": [{"persons": ["person-cora", "person-max"]}]},
    "nobody": None,
}


@dataclass(frozen=True)
class Yes:
    """Somebody's yes. behind: the user in whose place, else the user.   roles: as held when it was said."""

    user: str
    behind: str
    roles: frozenset[str]
    override: bool

    @property
    def people(self) -> set[str]:
        return {PEOPLE[self.user], PEOPLE[self.behind]}


@dataclass
class Waits:
    """A payment that waits. day: the business day, which is its value date."""

    maker: str
    amount: int
    policy: str
    day: int
    until_ms: int
    said: list[Yes] = field(default_factory=list)


@dataclass
class Twin:
    """balance: alice's, minor units.   paid: what bob has."""

    balance: int
    roles: dict[str, set[str]]
    policy: str = "one checker"
    suspended: set[str] = field(default_factory=set)
    waiting: dict[int, Waits] = field(default_factory=dict)
    over: dict[int, str] = field(default_factory=dict)
    delegations: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    paid: int = 0

    def held(self) -> int:
        return sum(one.amount for one in self.waiting.values())

    def tick(self, now: int) -> None:
        """What expires by now is over."""
        for number, one in list(self.waiting.items()):
            if one.until_ms <= now:
                del self.waiting[number]
                self.over[number] = "expired"
        self.delegations = {name: one for name, one in self.delegations.items() if one[2] > now}

    # --- making ----------------------------------------------------------------------------------------

    def may_make(self, user: str) -> bool:
        return user not in self.suspended and "maker" in self.roles[user]

    def pay(self, user: str, amount: int) -> str:
        """What comes of a payment: a reason, `waits` or `paid`."""
        if not self.may_make(user):
            return "not_permitted"
        if amount > self.balance - self.held():
            return "insufficient_funds"
        return "waits" if self.asks(amount) else "paid"

    def asks(self, amount: int) -> bool:
        return POLICIES[self.policy] is not None and amount >= THRESHOLD

    # --- checking --------------------------------------------------------------------------------------

    def can_check(self, user: str) -> bool:
        return user not in self.suspended and bool(self.roles[user] & CHECKING)

    def permitted(self, user: str) -> bool:
        """Whether it may send Approve at all, by itself or in somebody's place."""
        if user in self.suspended:
            return False
        return self.can_check(user) or any(
            to == user and self.can_check(of) for of, to, _ in self.delegations.values()
        )

    def standing(self, one: Waits) -> list[Yes]:
        """What was said and still counts."""
        found = []
        for yes in one.said:
            left = yes.roles & self.roles[yes.behind]
            if yes.user in self.suspended or not self.can_check(yes.behind) or (yes.roles and not left):
                continue
            found.append(replace(yes, roles=left))
        return found

    def rights(self, one: Waits, user: str) -> Iterator[Yes]:
        """By what a user could say yes, in the order in which it is tried."""
        asked = {role for group in self.needs(one.policy) for role in group.get("roles", ())}
        if self.can_check(user):
            yield Yes(user, user, frozenset(self.roles[user] & asked), False)
        if POLICIES[one.policy].get("delegation", True):  # type: ignore[union-attr]
            taken = {PEOPLE[one.maker], PEOPLE[user]}.union(*(yes.people for yes in self.standing(one)))
            for of, to, _ in self.delegations.values():
                roles = self.roles[of] & asked & {"checker"}  # all delegations here are of that role
                if to == user and roles and self.can_check(of) and PEOPLE[of] not in taken:
                    yield Yes(user, of, frozenset(roles), False)
        if self.can_check(user) and "night" in self.roles[user]:
            yield Yes(user, user, frozenset({"night"}), True)

    def approve(self, number: int, user: str, *, as_shown: bool) -> str | Yes:
        """A reason, or the yes that counts."""
        if not self.permitted(user):
            return "not_permitted"
        one = self.waiting.get(number)
        if one is None:
            status = self.over.get(number)
            if status is None:
                return "approval_not_found"
            return f"approval_{status}" if status in {"expired", "withdrawn"} else "approval_decided"
        if not as_shown:
            return "shown_changed"
        return self.right(one, user)

    def right(self, one: Waits, user: str) -> str | Yes:
        if PEOPLE[user] == PEOPLE[one.maker]:
            return "maker_cannot_check"
        valid = self.standing(one)
        if any(PEOPLE[user] in yes.people for yes in valid):
            return "already_approved_by_person"
        before = self.missing(one.policy, valid)
        for yes in self.rights(one, user):
            if self.missing(one.policy, [*valid, yes]) < before:
                return yes
        return "role_not_asked"

    def needs(self, policy: str) -> list[dict[str, Any]]:
        found = POLICIES[policy]
        return [] if found is None else found["needs"]

    def missing(self, policy: str, said: list[Yes]) -> int:
        """How many places stay empty in the best of all arrangements of people in places."""
        places = [group for group in self.needs(policy) for _ in range(group.get("count", 1))]
        distinct = (POLICIES[policy] or {}).get("distinct_roles", False)
        best = 0
        for order in itertools.permutations([*said, *[None] * len(places)], len(places)):
            options = [self.by(group, yes) for group, yes in zip(places, order, strict=True)]
            for chosen in itertools.product(*options):
                roles = [role for role in chosen if role not in (None, "")]
                if not distinct or len(set(roles)) == len(roles):
                    best = max(best, sum(role is not None for role in chosen))
        return len(places) - best

    def by(self, group: dict[str, Any], yes: Yes | None) -> list[str | None]:
        """By which roles somebody fills a place; `None` for leaving it empty."""
        if yes is None:
            return [None]
        if yes.override:
            return ["", None]
        if "persons" in group:
            return ["", None] if f"person-{PEOPLE[yes.behind]}" in group["persons"] else [None]
        return [*sorted(yes.roles & set(group["roles"])), None]

    def said_yes(self, number: int, yes: Yes, day: int) -> str:
        """Take a yes; returns what came of it: `waits`, `failed`, `changed` or `paid`."""
        one = self.waiting[number]
        one.said = [*self.standing(one), yes]
        if self.missing(one.policy, one.said):
            return "waits"
        if not self.may_make(one.maker):
            del self.waiting[number]
            self.over[number] = "failed"
            return "failed"
        policy = self.policy if self.asks(one.amount) else one.policy
        if day != one.day or self.missing(policy, one.said):
            one.day, one.policy, one.said = day, policy, []
            return "changed"
        del self.waiting[number]
        self.over[number] = "approved"
        self.move(one.amount)
        return "paid"

    def move(self, amount: int) -> None:
        self.balance -= amount
        self.paid += amount

    def end(self, number: int, status: str) -> None:
        del self.waiting[number]
        self.over[number] = status

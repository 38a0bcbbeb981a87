"""Rules, made ready to run: once for each set of documents in force, kind of movement and currency.

All rules become one function of plain comparisons of local numbers, since every movement pays for each of
them: see decision 0026. A number is read once, when it is first asked for; what can never hold for this kind
of movement or currency is left out. The function's text is made of nothing but places and whole numbers: no
word of a document gets into it. It is code, so it is no part of the state; equal documents make equal plans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from book.ruling import RulesInForce, Ruling
from book.state import Book
from commands.movements import Movement
from commands.rule_values import Asked, asked, cost, reader
from schemas.documents.conditions import Comparison, kind_of, parts_of
from schemas.documents.rules import Rule, Where
from schemas.features import FEATURES
from schemas.fields import INT64_MAX
from schemas.risk import Origin

Hold = Callable[[Book, Movement, Origin | None, int, Callable[[Book, Where, Movement], bool]], list[int]]
"""The places of the rules whose conditions hold, in order, given what says whether a document is about it."""
KEPT = 64
"""Sets of documents whose plans are kept: a book has one, an engine a few, and what is tried one each."""


class RulePlan(NamedTuple):
    """A rule. document: its place in the plan.   group: index of its cap, -1 for none.

    counted: whether it is live, share apart.
    """

    document: int
    name: str
    points: int
    stop: bool
    counted: bool
    share: int
    group: int
    from_ms: int
    until_ms: int
    where: Where | None


class DocumentPlan(NamedTuple):
    """A document. live: false in shadow.   caps: by the index that rules have."""

    name: str
    in_force: RulesInForce
    live: bool
    share: int
    caps: tuple[int, ...]


class Plan(NamedTuple):
    """All documents for one kind of movement in one currency. holding: which of the rules hold."""

    documents: tuple[DocumentPlan, ...]
    rules: tuple[RulePlan, ...]
    holding: Hold


class Plans(dict[tuple[str, str], Plan]):
    """The plans of one set of documents, by kind of movement and currency."""

    def __init__(self, ruling: Ruling) -> None:
        super().__init__()
        self._rules = {name: ruling.rules[name] for name in ruling.rules}

    def __missing__(self, key: tuple[str, str]) -> Plan:
        self[key] = plan = _plan(self._rules, *key)
        return plan


_PLANS: dict[str, Plans] = {}


def plans_of(ruling: Ruling) -> Plans:
    """The plans of what is in force."""
    plans = _PLANS.get(ruling.key)
    if plans is None:
        if len(_PLANS) >= KEPT:
            del _PLANS[next(iter(_PLANS))]
        _PLANS[ruling.key] = plans = Plans(ruling)
    return plans


def _plan(rules: dict[str, RulesInForce], kind: str, currency: str) -> Plan:
    documents: list[DocumentPlan] = []
    plans: list[RulePlan] = []
    writer = Writer()
    for name in sorted(rules):
        one = rules[name]
        body = one.body
        if not _admits(body.only, kind):
            continue
        groups = {cap.group: index for index, cap in enumerate(body.caps)}
        with_a_say = body.stage != "shadow"
        writer.document(_where(body.only))
        for rule in body.rules:
            if rule.stage == "off" or not _admits(rule.only, kind):
                continue
            counted = rule.stage != "shadow"
            condition = Conditions(writer.slots, currency, body.currency or "", counted and with_a_say).ready(
                rule.when
            )
            if condition is not None:
                writer.rule(len(plans), condition)
                plans.append(_rule(len(documents), name, rule, counted, groups))
        caps = tuple(cap.most for cap in body.caps)
        documents.append(DocumentPlan(name, one, with_a_say, body.share or 0, caps))
    return Plan(tuple(documents), tuple(plans), writer.made())


def _admits(where: Where, kind: str) -> bool:
    return not where.movements or kind in where.movements


def _where(where: Where) -> Where | None:
    """What is left to ask when the kind of movement fits."""
    return where if where.channels or where.corridors or where.segments else None


def _rule(document: int, name: str, rule: Rule, counted: bool, groups: dict[str, int]) -> RulePlan:
    return RulePlan(
        document,
        f"{name}/{rule.id}",
        rule.points,
        rule.stop,
        counted,
        rule.share or 0,
        -1 if rule.group is None else groups[rule.group],
        rule.from_ms or 0,
        rule.until_ms or 0,
        _where(rule.only),
    )


class Slots(dict[Asked, int]):
    """The place of each number that is asked for. costs: of each, by its place."""

    def __init__(self) -> None:
        super().__init__()
        self.costs: list[int] = []

    def __missing__(self, what: Asked) -> int:
        self[what] = slot = len(self)
        self.costs.append(cost(what))
        return slot


class Between(NamedTuple):
    """The number at a place is one of these, both included."""

    slot: int
    low: int
    high: int


class Group(NamedTuple):
    """joined: `all`, `any` or `none`.   parts: at least one; of `all` with the cheap ones first."""

    joined: str
    parts: tuple[Between | Group, ...]


ALWAYS = Group("all", ())


class Conditions(NamedTuple):
    """currency: of the movement.   implied: of amounts that name none.   counted: whether it has a say."""

    slots: Slots
    currency: str
    implied: str
    counted: bool

    def ready(self, one: Comparison) -> Between | Group | None:
        """What is to be asked; None where it can never hold, and ALWAYS where it always does."""
        kind = kind_of(one)
        if kind == "all":
            return self._all([self.ready(part) for part in parts_of(one)])
        if kind in ("any", "none"):
            parts = [ready for part in parts_of(one) if (ready := self.ready(part)) is not None]
            if any(part == ALWAYS for part in parts):
                return ALWAYS if kind == "any" else None
            if not parts:
                return None if kind == "any" else ALWAYS
            parts.sort(key=self._cost)
            return parts[0] if kind == "any" and len(parts) == 1 else Group(kind, tuple(parts))
        feature = FEATURES.get(one.feature)
        if (
            feature is not None
            and feature.unit == "minor"
            and (one.currency or self.implied) != self.currency
        ):
            return None
        low, high = one.interval()
        return Between(self.slots[asked(one, counted=self.counted)], low, high) if low <= high else None

    def _all(self, parts: Sequence[Between | Group | None]) -> Between | Group | None:
        within: dict[int, Between] = {}
        groups: list[Group] = []
        for part in parts:
            if part is None:
                return None
            for one in part.parts if isinstance(part, Group) and part.joined == "all" else (part,):
                if isinstance(one, Group):
                    groups.append(one)
                else:
                    other = within.get(one.slot, one)
                    within[one.slot] = Between(one.slot, max(one.low, other.low), min(one.high, other.high))
        if any(one.low > one.high for one in within.values()):
            return None
        found: list[Between | Group] = [*within.values(), *groups]
        found.sort(key=self._cost)
        return found[0] if len(found) == 1 else Group("all", tuple(found))

    def _cost(self, one: Between | Group) -> int:
        return max(self.slots.costs[slot] for slot in _asked(one))


def _asked(one: Between | Group) -> Iterator[int]:
    if isinstance(one, Between):
        yield one.slot
    else:
        for part in one.parts:
            yield from _asked(part)


def _first(one: Between | Group) -> int:
    """The place that is looked at first, whatever is there."""
    return one.slot if isinstance(one, Between) else _first(one.parts[0])


GIVEN = "book, movement, origin, at_ms"


class Writer:
    """The text of a plan's function. read: the places that have surely been read where it is now."""

    def __init__(self) -> None:
        self.slots = Slots()
        self._lines: list[str] = []
        self._wheres: list[Where] = []
        self._read: set[int] = set()
        self._before: set[int] | None = None
        self._late: set[int] = set()
        self._indent = "    "

    def document(self, where: Where | None) -> None:
        """The rules of a document follow, which is about some movements only, or about all."""
        if self._before is not None:
            self._read, self._before = self._before, None
        self._indent = "    "
        if where is not None:
            self._lines.append(f"    if about(book, wheres[{len(self._wheres)}], movement):\n        pass")
            self._wheres.append(where)
            self._before = set(self._read)
            self._indent = "        "

    def rule(self, place: int, condition: Between | Group) -> None:
        """The rule at this place applies where the condition holds."""
        if condition != ALWAYS:
            slot = _first(condition)
            if slot not in self._read:
                self._lines.append(f"{self._indent}v{slot} = {self._known(slot)}")
                self._read.add(slot)
        self._lines.append(
            f"{self._indent}if {self._text(condition)}:\n{self._indent}    hold.append({place})"
        )

    def _known(self, slot: int) -> str:
        """The number, read where it is not yet."""
        if self._before is None and slot not in self._late:
            return f"r{slot}({GIVEN})"
        self._late.add(slot)
        return f"v{slot} if v{slot} is not None else r{slot}({GIVEN})"

    def _text(self, one: Between | Group) -> str:
        if isinstance(one, Group):
            joined = " and " if one.joined == "all" else " or "
            text = joined.join(f"({self._text(part)})" for part in one.parts) or "True"
            return f"not ({text})" if one.joined == "none" else text
        slot, low, high = one
        value = f"v{slot}"
        if slot not in self._read:
            self._late.add(slot)
            value = f"(v{slot} if v{slot} is not None else (v{slot} := r{slot}({GIVEN})))"
        if low == high:
            return f"{value} == {low}"
        return f"{value} >= {low}" if high == INT64_MAX else f"{low} <= {value} <= {high}"

    def made(self) -> Hold:
        """The function."""
        reads = ", ".join(f"r{slot}" for slot in self.slots.values())
        unread = "".join(f"    v{slot} = None\n" for slot in sorted(self._late))
        text = "\n".join(self._lines)
        source = f"def holding({GIVEN}, about):\n    hold = []\n{unread}{text}\n    return hold\n"
        inner = "".join(f"    {line}\n" for line in source.splitlines())
        scope: dict[str, Any] = {}
        exec(f"def making(wheres{', ' if reads else ''}{reads}):\n{inner}    return holding\n", scope)  # noqa: S102 - see above
        made: Hold = scope["making"](tuple(self._wheres), *(reader(what) for what in self.slots))
        return made

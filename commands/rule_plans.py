"""Rules, made ready to run: once for each set of documents in force, kind of movement and currency.

A condition becomes a run of intervals, `slot, lowest, highest`, all of which have to hold, cheap ones first,
and closures for what no run of intervals can say. A slot is one number of the movement, read when it is first
asked for. What can never hold for this kind of movement or currency is left out. It is code, so it is no part
of the state; equal documents make equal plans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from book.ruling import RulesInForce, Ruling
from book.state import Book
from commands.features import Read
from commands.movements import Movement
from commands.rule_values import Asked, asked, cost, reader
from schemas.documents.conditions import Comparison, kind_of
from schemas.documents.rules import Rule, Where
from schemas.features import FEATURES
from schemas.risk import Origin

Values = list[int | None]
"""By slot; None where it was not asked for yet."""
Holds = Callable[[Values, Book, Movement, Origin | None, int], bool]
Interval = tuple[int, int, int]
"""Slot, lowest and highest."""
KEPT = 64
"""Sets of documents whose plans are kept: a book has one, an engine a few, and what is tried one each."""


class Ready(NamedTuple):
    """A condition: all intervals, and all of `more`."""

    intervals: tuple[Interval, ...]
    more: tuple[Holds, ...]


class RulePlan(NamedTuple):
    """A rule. group: index of its cap, -1 for none.   counted: whether it is live, share apart."""

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
    """A document. rules: intervals, closures, and what it is, of each.   live: false in shadow."""

    name: str
    in_force: RulesInForce
    live: bool
    share: int
    where: Where | None
    caps: tuple[int, ...]
    rules: tuple[tuple[tuple[Interval, ...], tuple[Holds, ...], RulePlan], ...]


class Plan(NamedTuple):
    """All documents for one kind of movement in one currency. blank: a value for each slot, none read."""

    documents: tuple[DocumentPlan, ...]
    reads: tuple[Read, ...]
    blank: Values


class Plans(dict[tuple[str, str], Plan]):
    """The plans of one set of documents, by kind of movement and currency."""

    def __init__(self, ruling: Ruling) -> None:
        super().__init__()
        self._rules = dict(ruling.rules)

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
    slots = Slots()
    documents = []
    for name in sorted(rules):
        one = rules[name]
        if not _admits(one.body.only, kind):
            continue
        compiled = tuple(_compiled(name, one, kind, currency, slots))
        if compiled:
            body = one.body
            documents.append(
                DocumentPlan(
                    name,
                    one,
                    body.stage != "shadow",
                    body.share or 0,
                    _where(body.only),
                    tuple(cap.most for cap in body.caps),
                    compiled,
                )
            )
    return Plan(tuple(documents), tuple(reader(what) for what in slots), [None] * len(slots))


class Slots(dict[Asked, int]):
    """The slot of each number that is asked for."""

    def __missing__(self, what: Asked) -> int:
        self[what] = slot = len(self)
        return slot


def _admits(where: Where, kind: str) -> bool:
    return not where.movements or kind in where.movements


def _where(where: Where) -> Where | None:
    """What is left to ask when the kind of movement fits."""
    return where if where.channels or where.corridors or where.segments else None


def _compiled(
    document: str, one: RulesInForce, kind: str, currency: str, slots: Slots
) -> Sequence[tuple[tuple[Interval, ...], tuple[Holds, ...], RulePlan]]:
    body = one.body
    groups = {cap.group: index for index, cap in enumerate(body.caps)}
    found = []
    for rule in body.rules:
        if rule.stage == "off" or not _admits(rule.only, kind):
            continue
        counted = rule.stage != "shadow"
        test = Compiler(slots, currency, body.currency or "", counted and body.stage != "shadow").test(
            rule.when
        )
        if test is not None:
            found.append((test.intervals, test.more, _rule(document, rule, counted, groups)))
    return found


def _rule(document: str, rule: Rule, counted: bool, groups: dict[str, int]) -> RulePlan:
    return RulePlan(
        f"{document}/{rule.id}",
        rule.points,
        rule.stop,
        counted,
        rule.share or 0,
        -1 if rule.group is None else groups[rule.group],
        rule.from_ms or 0,
        rule.until_ms or 0,
        _where(rule.only),
    )


class Compiler(NamedTuple):
    """currency: of the movement.   implied: of amounts that name none.   counted: whether it has a say."""

    slots: Slots
    currency: str
    implied: str
    counted: bool

    def test(self, one: Comparison) -> Ready | None:
        """What is to be asked; None where it can never hold."""
        kind = kind_of(one)
        if kind == "all":
            return self._all([self.test(part) for part in one.all])  # type: ignore[attr-defined]
        if kind == "any":
            parts = [test for part in one.any if (test := self.test(part)) is not None]  # type: ignore[attr-defined]
            if len(parts) < 2:
                return parts[0] if parts else None
            if any(part == ALWAYS for part in parts):
                return ALWAYS
            return Ready((), (_any(tuple(self._closure(part) for part in parts)),))
        if kind == "none":
            parts = [test for part in one.none if (test := self.test(part)) is not None]  # type: ignore[attr-defined]
            if any(part == ALWAYS for part in parts):
                return None
            return Ready((), (_none(tuple(self._closure(part) for part in parts)),)) if parts else ALWAYS
        feature = FEATURES.get(one.feature)
        if (
            feature is not None
            and feature.unit == "minor"
            and (one.currency or self.implied) != self.currency
        ):
            return None
        low, high = one.interval()
        return (
            Ready(((self.slots[asked(one, counted=self.counted)], low, high),), ()) if low <= high else None
        )

    def _all(self, parts: Sequence[Ready | None]) -> Ready | None:
        within: dict[int, tuple[int, int]] = {}
        more: list[Holds] = []
        for part in parts:
            if part is None:
                return None
            for slot, low, high in part.intervals:
                least, most = within.get(slot, (low, high))
                within[slot] = max(low, least), min(high, most)
            more += part.more
        if any(low > high for low, high in within.values()):
            return None
        names = list(self.slots)
        ordered = sorted(within.items(), key=lambda one: (cost(names[one[0]]), one[0]))
        return Ready(tuple((slot, low, high) for slot, (low, high) in ordered), tuple(more))

    def _closure(self, test: Ready) -> Holds:
        names = list(self.slots)
        reads = {slot: reader(names[slot]) for slot, _, _ in test.intervals}
        parts = [*(_within(slot, low, high, reads[slot]) for slot, low, high in test.intervals), *test.more]
        return parts[0] if len(parts) == 1 else _every(tuple(parts))


ALWAYS = Ready((), ())


def _within(slot: int, low: int, high: int, read: Read) -> Holds:
    def holds(values: Values, book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> bool:
        value = values[slot]
        if value is None:
            value = values[slot] = read(book, movement, origin, at_ms)
        return low <= value <= high

    return holds


def _every(parts: tuple[Holds, ...]) -> Holds:
    def holds(values: Values, book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> bool:
        for part in parts:  # noqa: SIM110 - a generator costs more than what it runs
            if not part(values, book, movement, origin, at_ms):
                return False
        return True

    return holds


def _any(parts: tuple[Holds, ...]) -> Holds:
    def holds(values: Values, book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> bool:
        for part in parts:  # noqa: SIM110 - see `_every`
            if part(values, book, movement, origin, at_ms):
                return True
        return False

    return holds


def _none(parts: tuple[Holds, ...]) -> Holds:
    some = _any(parts)

    def holds(values: Values, book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> bool:
        return not some(values, book, movement, origin, at_ms)

    return holds

"""Rules: what a movement of money is asked before it goes through, and what comes of the answers.

A rule that applies gives points, or declines by itself (a stop). Points add up, within the caps of groups,
and thresholds make a verdict of the sum. Documents and rules go live by stages; in shadow all is scored and
nothing counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import annotated_types as at
import msgspec
from msgspec import Meta

from schemas.documents.conditions import Comparison, Condition, comparisons, condition_problems, kind_of
from schemas.documents.document import Document, LineId, Problem
from schemas.documents.filters import Kinds, Labels, twice
from schemas.documents.reachable import can_hold
from schemas.fields import Currency, Duration, Millis, Text
from schemas.message import Value

MOST_RULES = 500
MOST_COMPARISONS = 4_000
MOST_POINTS = 1_000
PER_MILLE = 1_000
Points = Annotated[int, Meta(ge=-MOST_POINTS, le=MOST_POINTS), at.Ge(-MOST_POINTS), at.Le(MOST_POINTS)]
Threshold = Annotated[int, Meta(ge=1, le=1_000_000), at.Ge(1), at.Le(1_000_000)]
PerMille = Annotated[int, Meta(ge=1, le=PER_MILLE - 1), at.Ge(1), at.Le(PER_MILLE - 1)]
Capacity = Annotated[int, Meta(ge=1, le=1_000_000), at.Ge(1), at.Le(1_000_000)]
Stage = Literal["off", "shadow", "share", "live"]
"""off: not looked at.   shadow: scored, not counted.   share: live for a share of the parties, in shadow for
the others.   live: counted.
"""


class Where(Value, omit_defaults=True):
    """Which movements are meant; each part that is left empty admits all. segments: of the paying party."""

    movements: Kinds = ()
    channels: Labels = ()
    corridors: Labels = ()
    segments: Labels = ()


WHERE = Where.__struct_fields__


class Rule(Value, omit_defaults=True):
    """One rule. It says either `points` or `stop`.

    when: what has to hold.   only: of which movements.   why: what it is for; staff read it.
    points: below zero only where `when` asks for an allow list, or `lowers` says that it is meant.
    stop: declines by itself, whatever lowers the points.   group: whose cap holds for its points.
    share: per mille of the parties, in the stage `share`.   from_ms, until_ms: within these it is in force.
    """

    id: LineId
    when: Condition
    why: Text = ""
    only: Where = Where()
    points: Points = 0
    stop: bool = False
    lowers: bool = False
    group: LineId | None = None
    stage: Stage = "live"
    share: PerMille | None = None
    from_ms: Millis | None = None
    until_ms: Millis | None = None


class Cap(Value):
    """The points of a group together are no more than `most`."""

    group: LineId
    most: Annotated[int, Meta(ge=1, le=1_000_000), at.Ge(1), at.Le(1_000_000)]


class Thresholds(Value):
    """From which score on a movement is reviewed, and declined; never where it is left out."""

    review: Threshold | None = None
    decline: Threshold | None = None


class ThresholdLine(Value):
    """Other thresholds for some channels and segments of parties. The first line that fits is taken."""

    channels: Labels = ()
    segments: Labels = ()
    review: Threshold | None = None
    decline: Threshold | None = None


class Reviews(Value):
    """What becomes of a review. It is never released because time has passed.

    within_ms: how long it may wait; then it goes to others (`escalate`) or the payment is declined.
    a_day: how many the team can look at in a day; what-if and triage compare with it.
    """

    within_ms: Duration = 4 * 3_600_000
    then: Literal["escalate", "decline"] = "escalate"
    a_day: Capacity | None = None


class Rules(Document):
    """Rules that are scored together. Of several documents in force, the strictest live verdict holds.

    currency: of amounts that name none.   only: of which movements; all that are scored if left out.
    stage, share: of the whole document; a rule is at most as live as its document.
    thresholds: where no line of `by` fits.
    """

    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=MOST_RULES), at.Len(1, MOST_RULES)]
    thresholds: Thresholds = Thresholds()
    by: Annotated[tuple[ThresholdLine, ...], Meta(max_length=50), at.MaxLen(50)] = ()
    caps: Annotated[tuple[Cap, ...], Meta(max_length=50), at.MaxLen(50)] = ()
    currency: Currency | None = None
    only: Where = Where()
    stage: Stage = "live"
    share: PerMille | None = None
    reviews: Reviews = Reviews()

    def problems(self) -> Iterator[Problem]:
        """What cannot be meant: contradictions, what can never apply, thresholds that cannot work."""
        yield from _staged(self, "")
        yield from _where(self.only, "only")
        yield from twice("rules", tuple(one.id for one in self.rules), ".id")
        yield from twice("caps", tuple(one.group for one in self.caps), ".group")
        asked = sum(1 for one in self.rules for _ in comparisons(one.when, ""))
        if asked > MOST_COMPARISONS:
            yield Problem(
                "rules", f"all together ask {asked} comparisons, and the most is {MOST_COMPARISONS}"
            )
            return
        seen: dict[object, int] = {}
        for index, rule in enumerate(self.rules):
            path = f"rules[{index}]"
            wrong = list(self._rule_problems(rule, path))
            yield from wrong
            other = seen.setdefault((msgspec.json.encode(rule.when), msgspec.json.encode(rule.only)), index)
            if other != index:
                yield Problem(f"{path}.when", f"asks the same as rules[{other}], {self.rules[other].id}")
        yield from self._cap_problems()
        yield from self._threshold_problems()

    def _rule_problems(self, rule: Rule, path: str) -> Iterator[Problem]:
        if rule.stop == bool(rule.points):
            yield Problem(path, "must have either points or stop")
        yield from _staged(rule, path)
        if rule.from_ms is not None and rule.until_ms is not None and rule.from_ms >= rule.until_ms:
            yield Problem(f"{path}.until_ms", "must be after from_ms")
        if rule.lowers and rule.points >= 0:
            yield Problem(f"{path}.lowers", "only points below zero lower a score")
        if rule.points < 0 and not rule.lowers and not _asks_a_list(rule.when):
            yield Problem(f"{path}.points", "lower the score: ask for an allow list, or say `lowers: true`")
        if rule.stop and rule.group is not None:
            yield Problem(f"{path}.group", "a stop declines by itself: no cap can hold it down")
        yield from _where(rule.only, f"{path}.only")
        for name in WHERE:
            mine, ours = getattr(rule.only, name), getattr(self.only, name)
            if mine and ours and not set(mine) & set(ours):
                yield Problem(f"{path}.only.{name}", "can never apply: the document is about none of these")
        wrong = list(condition_problems(rule.when, f"{path}.when", self.currency))
        yield from wrong
        if not wrong and not can_hold(rule.when, self.currency):
            yield Problem(f"{path}.when", "can never hold: its comparisons contradict each other")

    def _cap_problems(self) -> Iterator[Problem]:
        caps = {one.group: one.most for one in self.caps}
        used = {one.group for one in self.rules}
        for index, cap in enumerate(self.caps):
            if cap.group not in used:
                yield Problem(f"caps[{index}].group", f"no rule is in the group {cap.group}")
        for index, rule in enumerate(self.rules):
            if rule.group is None:
                continue
            if rule.group not in caps:
                yield Problem(f"rules[{index}].group", f"there is no cap for the group {rule.group}")
            elif rule.points > caps[rule.group]:
                yield Problem(
                    f"rules[{index}].points",
                    f"{rule.points} can never count whole: the cap of {rule.group} is {caps[rule.group]}",
                )

    def _threshold_problems(self) -> Iterator[Problem]:
        highest = self.highest()
        yield from _ordered(self.thresholds, "thresholds", highest)
        for index, line in enumerate(self.by):
            path = f"by[{index}]"
            if not line.channels and not line.segments:
                yield Problem(path, "name channels or segments; `thresholds` is for all others")
            for name in ("channels", "segments"):
                yield from twice(f"{path}.{name}", getattr(line, name))
            yield from _ordered(line, path, highest)
            for before in range(index):
                if _covers(self.by[before], line):
                    yield Problem(path, f"is never reached: by[{before}] fits all that it fits")
                    break

    def highest(self) -> int:
        """The highest score that points can add up to, within the caps."""
        groups: dict[str | None, int] = {}
        for rule in self.rules:
            if rule.points > 0 and rule.stage != "off":
                groups[rule.group] = groups.get(rule.group, 0) + rule.points
        caps = {one.group: one.most for one in self.caps}
        return sum(
            points if group is None else min(points, caps.get(group, points))
            for group, points in groups.items()
        )


def _staged(one: Rule | Rules, path: str) -> Iterator[Problem]:
    at_ = f"{path}." if path else ""
    if (one.stage == "share") != (one.share is not None):
        yield Problem(f"{at_}share", "is given in the stage `share`, and only there")


def _where(where: Where, path: str) -> Iterator[Problem]:
    for name in WHERE:
        yield from twice(f"{path}.{name}", getattr(where, name))
    for index, kind in enumerate(where.movements):
        if kind not in SCORED:
            yield Problem(f"{path}.movements[{index}]", f"{kind} is not scored: {' or '.join(SCORED)}")


SCORED = ("transfer", "payment_out", "standing")
"""The kinds of movement that rules look at."""


def _ordered(one: Thresholds | ThresholdLine, path: str, highest: int) -> Iterator[Problem]:
    if one.review is not None and one.decline is not None and one.review >= one.decline:
        yield Problem(f"{path}.review", f"must be below decline, which is {one.decline}")
    for name in ("review", "decline"):
        threshold = getattr(one, name)
        if threshold is not None and threshold > highest:
            yield Problem(
                f"{path}.{name}", f"can never be reached: all points together are at most {highest}"
            )


def _covers(one: ThresholdLine, other: ThresholdLine) -> bool:
    """Whether whatever fits the other fits this one."""
    return all(
        not mine or (theirs and set(theirs) <= set(mine))
        for mine, theirs in ((one.channels, other.channels), (one.segments, other.segments))
    )


def _asks_a_list(condition: Comparison) -> bool:
    """Whether something has to stand on a list for it to hold. The book knows what kind of list it is."""
    if kind_of(condition) == "on_list":
        return True
    return any(_asks_a_list(part) for part in getattr(condition, "all", ()))


def listed(condition: Comparison) -> Iterator[str]:
    """The lists on which something has to stand for it to hold."""
    if condition.on_list is not None:
        yield condition.on_list
    for part in getattr(condition, "all", ()):
        yield from listed(part)

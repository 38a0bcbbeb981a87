"""What the rules make of a movement, told part by part: the waterfall behind a verdict.

It reads the documents as they are written, one comparison after another, and shares nothing but the values
with the plans that decide (`commands/rule_plans.py`); the tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from book.ruling import RulesInForce
from book.state import Book
from commands.filters import segment_of
from commands.movements import Movement
from commands.risk import STRICTNESS, Assessed, in_share
from commands.rule_values import asked, reader
from schemas.documents.conditions import GROUPS, Comparison, kind_of, parts_of
from schemas.documents.rules import SCORED, Rule, Rules, Where
from schemas.features import FEATURES, NONE
from schemas.risk import Assessment, Origin, RuleHit, Verdict


class Part(msgspec.Struct, frozen=True):
    """A comparison with the value that it met, or a group.   holds: what came of it.

    value: `NONE` where there was none; None for a group, and for an amount in another currency.
    """

    kind: str
    one: Comparison
    holds: bool
    value: int | None = None
    parts: tuple[Part, ...] = ()


class RuleTold(msgspec.Struct, frozen=True):
    """A rule. when: with what it met.   applied: whether it holds, is in force and about this movement.

    counted: whether its points are in the score.   instead: why it did not apply although it holds.
    """

    rule: Rule
    when: Part
    applied: bool
    counted: bool
    instead: str = ""


class GroupTold(msgspec.Struct, frozen=True):
    """The points of a group: as they add up, and as its cap leaves them."""

    group: str
    points: int
    cap: int
    counted: int


class DocumentTold(msgspec.Struct, frozen=True):
    """A document. live: whether it has a say in this movement.   score, verdict: what it made of it.

    review, decline: the thresholds that hold here, None for never.
    """

    name: str
    version: int
    live: bool
    review: int | None
    decline: int | None
    score: int
    verdict: Verdict
    groups: tuple[GroupTold, ...]
    rules: tuple[RuleTold, ...]

    def assessment(self) -> Assessment | None:
        """What a decision notes of it; None where no rule applied."""
        hits = tuple(
            RuleHit(f"{self.name}/{one.rule.id}", one.rule.points, one.rule.stop, one.counted)
            for one in self.rules
            if one.applied
        )
        if not hits:
            return None
        stage = "live" if self.live else "shadow"
        return Assessment(self.name, self.version, stage, self.score, self.verdict, hits)  # type: ignore[arg-type]


def told(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> tuple[DocumentTold, ...]:
    """Every document in force that is about the movement."""
    if movement.account.kind != "customer" or movement.kind not in SCORED:
        return ()
    rules = book.in_force.ruling.rules
    return tuple(
        _document(book, name, rules[name], movement, origin, at_ms)
        for name in sorted(rules)
        if _about(book, rules[name].body.only, movement)
    )


def as_assessed(documents: tuple[DocumentTold, ...]) -> Assessed | None:
    """What a decision makes of them: the strictest verdict that is live."""
    found = tuple(one for document in documents if (one := document.assessment()) is not None)
    if not found:
        return None
    live = [one.verdict for one in found if one.stage == "live"]
    return Assessed(max(live, key=STRICTNESS.__getitem__, default="approve"), found)


def _about(book: Book, where: Where, movement: Movement) -> bool:
    segment = segment_of(book, movement.account)
    return all(
        not admitted or this in admitted
        for admitted, this in (
            (where.movements, movement.kind),
            (where.channels, movement.channel),
            (where.corridors, movement.corridor),
            (where.segments, segment),
        )
    )


def _document(
    book: Book, name: str, one: RulesInForce, movement: Movement, origin: Origin | None, at_ms: int
) -> DocumentTold:
    body = one.body
    rules = tuple(
        _rule(book, name, body, rule, movement, origin, at_ms) for rule in body.rules if rule.stage != "off"
    )
    counted = [one.rule for one in rules if one.counted]
    groups = tuple(_groups(body, counted))
    score = max(
        0,
        sum(rule.points for rule in counted if rule.group is None) + sum(group.counted for group in groups),
    )
    review, decline = _thresholds(book, body, movement)
    verdict: Verdict = "approve"
    if review is not None and score >= review:
        verdict = "review"
    if (decline is not None and score >= decline) or any(rule.stop for rule in counted):
        verdict = "decline"
    live = body.stage == "live" or (
        body.stage == "share" and body.share is not None and in_share(movement, name, body.share)
    )
    return DocumentTold(name, one.version, live, review, decline, score, verdict, groups, rules)


def _groups(body: Rules, counted: list[Rule]) -> Iterator[GroupTold]:
    for cap in body.caps:
        points = [rule.points for rule in counted if rule.group == cap.group]
        if points:
            yield GroupTold(cap.group, sum(points), cap.most, min(sum(points), cap.most))


def _thresholds(book: Book, body: Rules, movement: Movement) -> tuple[int | None, int | None]:
    segment = segment_of(book, movement.account)
    for line in body.by:
        if (not line.channels or movement.channel in line.channels) and (
            not line.segments or segment in line.segments
        ):
            return line.review, line.decline
    return body.thresholds.review, body.thresholds.decline


def _rule(
    book: Book,
    document: str,
    body: Rules,
    rule: Rule,
    movement: Movement,
    origin: Origin | None,
    at_ms: int,
) -> RuleTold:
    counts = "shadow" not in (body.stage, rule.stage)

    def part(one: Comparison) -> Part:
        kind = kind_of(one)
        if kind in GROUPS:
            parts = tuple(part(each) for each in parts_of(one))
            hold = [each.holds for each in parts]
            holds = all(hold) if kind == "all" else any(hold) if kind == "any" else not any(hold)
            return Part(kind, one, holds, None, parts)
        feature = FEATURES.get(one.feature)
        in_minor = feature is not None and feature.unit == "minor"
        if in_minor and (one.currency or body.currency) != movement.currency:
            return Part(kind, one, holds=False)
        value = reader(asked(one, counted=counts))(book, movement, origin, at_ms)
        low, high = one.interval()
        return Part(kind, one, value != NONE and low <= value <= high, value)

    when = part(rule.when)
    instead = ""
    if when.holds:
        if rule.from_ms is not None and at_ms < rule.from_ms:
            instead = "it was not in force yet"
        elif rule.until_ms is not None and at_ms >= rule.until_ms:
            instead = "it was in force no longer"
        elif not _about(book, rule.only, movement):
            instead = "it is about other movements"
    applied = when.holds and not instead
    counted = applied and (
        rule.stage == "live"
        or (
            rule.stage == "share"
            and rule.share is not None
            and in_share(movement, f"{document}/{rule.id}", rule.share)
        )
    )
    return RuleTold(rule, when, applied, counted, instead)

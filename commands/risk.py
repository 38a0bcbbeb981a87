"""What the rules make of a movement, asked last, when nothing else stands against it.

Only a live verdict does anything; what is in shadow is scored and noted. It never says why to who asked.
"""

from __future__ import annotations

import hashlib

import msgspec

from book.state import Book
from commands.decision import Steps
from commands.filters import segment_of
from commands.movements import Movement
from commands.rule_plans import DocumentPlan, Plan, RulePlan, plans_of
from schemas.documents.rules import PER_MILLE, Where
from schemas.message import Event
from schemas.rejections import Rejection
from schemas.risk import Assessment, Declined, Origin, RiskAssessed, RuleHit, Verdict

STRICTNESS: dict[Verdict, int] = {"approve": 0, "review": 1, "decline": 2}


class Assessed(msgspec.Struct, frozen=True, gc=False):
    """verdict: what is to be done.   assessments: of each document of which some rule applied."""

    verdict: Verdict
    assessments: tuple[Assessment, ...]


def assess(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> Assessed | None:
    """What the documents in force make of the movement; None where no rule applied."""
    ruling = book.in_force.ruling
    if not ruling.key or movement.account.kind != "customer":
        return None
    plan = plans_of(ruling)[movement.kind, movement.currency]
    holding = plan.holding(book, movement, origin, at_ms, _about)
    return _assessed(book, plan, holding, movement, at_ms) if holding else None


def _assessed(book: Book, plan: Plan, holding: list[int], movement: Movement, at_ms: int) -> Assessed | None:
    """holding: the places of the rules whose conditions hold."""
    hits: dict[int, list[RulePlan]] = {}
    for place in holding:
        rule = plan.rules[place]
        if _applies(book, rule, movement, at_ms):
            hits.setdefault(rule.document, []).append(rule)
    if not hits:
        return None
    found = tuple(_weighed(book, plan.documents[one], rules, movement) for one, rules in hits.items())
    verdict: Verdict = "approve"
    for one in found:
        if one.stage == "live" and STRICTNESS[one.verdict] > STRICTNESS[verdict]:
            verdict = one.verdict
    return Assessed(verdict, found)


def _about(book: Book, where: Where, movement: Movement) -> bool:
    if where.channels and movement.channel not in where.channels:
        return False
    if where.corridors and movement.corridor not in where.corridors:
        return False
    return not where.segments or segment_of(book, movement.account) in where.segments


def _applies(book: Book, rule: RulePlan, movement: Movement, at_ms: int) -> bool:
    """Whether a rule whose condition holds is in force now, and about this movement."""
    if at_ms < rule.from_ms or (rule.until_ms and at_ms >= rule.until_ms):
        return False
    return rule.where is None or _about(book, rule.where, movement)


def _weighed(book: Book, document: DocumentPlan, hits: list[RulePlan], movement: Movement) -> Assessment:
    """Points within their caps, and the verdict that they make."""
    score = 0
    grouped: dict[int, int] = {}
    stop = False
    noted = []
    for rule in hits:
        counted = rule.counted and (not rule.share or in_share(movement, rule.name, rule.share))
        noted.append(RuleHit(rule.name, rule.points, rule.stop, counted))
        if not counted:
            continue
        stop = stop or rule.stop
        if rule.group < 0:
            score += rule.points
        else:
            grouped[rule.group] = grouped.get(rule.group, 0) + rule.points
    for group, points in grouped.items():
        score += min(points, document.caps[group])
    score = max(0, score)
    live = document.live and (not document.share or in_share(movement, document.name, document.share))
    review, decline = _thresholds(book, document, movement)
    verdict: Verdict = (
        "decline"
        if stop or (decline is not None and score >= decline)
        else "review"
        if review is not None and score >= review
        else "approve"
    )
    return Assessment(
        document.name,
        document.in_force.version,
        "live" if live else "shadow",
        score,
        verdict,
        tuple(noted),
    )


def in_share(movement: Movement, of: str, share: int) -> bool:
    """Whether the party (the account, where it has none) is among the share for whom this is live.

    The same for ever: 64 bits of BLAKE2b over both, modulo 1,000.
    """
    told = f"{movement.account.party or movement.account_id}\n{of}".encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest()) % PER_MILLE < share


def _thresholds(book: Book, document: DocumentPlan, movement: Movement) -> tuple[int | None, int | None]:
    body = document.in_force.body
    for line in body.by:
        if line.channels and movement.channel not in line.channels:
            continue
        if line.segments and segment_of(book, movement.account) not in line.segments:
            continue
        return line.review, line.decline
    return body.thresholds.review, body.thresholds.decline


def declined(movement: Movement, assessed: Assessed, name: str = "") -> Rejection:
    """`declined`, without figures. name: the payment's id."""
    told = Declined(
        movement=name,
        account=movement.account_id,
        party=movement.account.party,
        amount=movement.amount,
        currency=movement.currency,
        assessments=assessed.assessments,
    )
    return Rejection("declined", {}, msgspec.json.encode(told).decode())


def with_assessment(
    book: Book, events: tuple[Event, ...], movement: Movement, assessed: Assessed, name: str = ""
) -> Steps:
    """The movement's events, and behind them what the rules made of it."""
    yield events[0]
    of = book.seq
    yield from events[1:]
    yield RiskAssessed(
        movement=name,
        of=of,
        account=movement.account_id,
        party=movement.account.party,
        amount=movement.amount,
        currency=movement.currency,
        verdict=assessed.verdict,
        assessments=assessed.assessments,
    )

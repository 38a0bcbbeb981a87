"""`daybook rules explain`: the waterfall of one movement, as the rules saw it.

The log is folded to just before its event, and the documents that were in force then are read again, part by
part; what comes out is compared with what was noted at the time. It writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from book.features.counts import AccountCounts
from book.state import Book
from commands.decision import digits_of
from commands.risk import Assessed
from replay.rule_words import Digits, gives, in_words, name_of, value_of
from replay.ruling import DocumentTold, Part, RuleTold, as_assessed, told
from replay.scored import Scored
from schemas.documents.conditions import GROUPS, Comparison
from schemas.features import FEATURES
from schemas.risk import Verdict


class ValueLine(msgspec.Struct, frozen=True):
    """A comparison and the value that it met. value: null where the amount is in another currency."""

    asks: str
    value: int | None
    shown: str
    holds: bool


class RuleLine(msgspec.Struct, frozen=True):
    """A rule. says: its condition as a sentence.   gives: points, or that it declines.

    applied, counted: see `replay/ruling.py`.   instead: why it did not apply although it holds.
    """

    rule: str
    why: str
    stage: str
    says: str
    gives: str
    points: int
    stop: bool
    holds: bool
    applied: bool
    counted: bool
    instead: str
    group: str
    values: tuple[ValueLine, ...]


class CapLine(msgspec.Struct, frozen=True):
    """A group whose points add up to more than its cap, or might have."""

    group: str
    points: int
    cap: int
    counted: int


class DocumentLine(msgspec.Struct, frozen=True):
    """A document. live: whether it had a say.   review, decline: its thresholds here; null for never."""

    rules: str
    version: int
    live: bool
    score: int
    review: int | None
    decline: int | None
    verdict: Verdict
    lines: tuple[RuleLine, ...]
    caps: tuple[CapLine, ...]


class FeatureLine(msgspec.Struct, frozen=True):
    """A feature that some rule asked for: what it means, and what it was worth."""

    feature: str
    meaning: str
    value: int
    shown: str


class Norm(msgspec.Struct, frozen=True):
    """What the account has paid so far, as far as it was counted: minor units; deviation of the whole."""

    payments: int
    mean: int
    deviation: int


class Explained(msgspec.Struct, frozen=True):
    """A movement and what the rules made of it. verdict: what was done.

    event, seq, at_ms: of the event that let it through or declined it.   as_recorded: whether the same was
    noted then.   norm: null where nothing was counted.
    """

    book: str
    event: str
    seq: int
    at_ms: int
    command: str
    movement: str
    kind: str
    account: str
    party: str
    counterparty: str
    amount: int
    currency: str
    shown: str
    channel: str
    corridor: str
    verdict: Verdict
    as_recorded: bool
    norm: Norm | None
    features: tuple[FeatureLine, ...]
    documents: tuple[DocumentLine, ...]


def explained(one: Scored) -> Explained:
    """All that is to be said of it."""
    book, movement, event = one.book, one.movement, one.event
    currency = movement.currency

    def digits(of: str) -> int:
        return digits_of(book, of)

    documents = told(book, movement, one.origin, event.at)
    found = as_assessed(documents)
    amount = _amount(movement.amount, currency, digits)
    return Explained(
        book=book.id,
        event=type(event).__name__,
        seq=event.seq,
        at_ms=event.at,
        command=event.command,
        movement=one.name,
        kind=movement.kind,
        account=movement.account_id,
        party=movement.account.party,
        counterparty=movement.counterparty,
        amount=movement.amount,
        currency=currency,
        shown=amount,
        channel=movement.channel,
        corridor=movement.corridor,
        verdict="approve" if found is None else found.verdict,
        as_recorded=_same(found, one),
        norm=_norm(movement.account.counts),
        features=tuple(_features(documents, currency, digits)),
        documents=tuple(_document(document, book, digits) for document in documents),
    )


def _amount(minor: int, currency: str, digits: Digits) -> str:
    return value_of(Comparison(feature="amount"), minor, currency, digits)


def _same(found: Assessed | None, one: Scored) -> bool:
    return one.recorded == (() if found is None else found.assessments)


def _norm(counts: AccountCounts | None) -> Norm | None:
    moments = None if counts is None else counts.moments
    if moments is None or not moments.count:
        return None
    total, squares = moments.sums()
    mean = total // moments.count
    variance = max(0, moments.count * squares - total * total)
    return Norm(moments.count, mean, _root(variance) // moments.count)


def _root(number: int) -> int:
    return math.isqrt(number)


def _features(documents: tuple[DocumentTold, ...], currency: str, digits: Digits) -> Iterator[FeatureLine]:
    values: dict[str, int] = {}
    for document in documents:
        for rule in document.rules:
            for part in _leaves(rule.when):
                if part.one.feature and part.value is not None:
                    values[part.one.feature] = part.value
    for name, value in sorted(values.items()):
        shown = value_of(Comparison(feature=name), value, currency, digits)
        yield FeatureLine(name, FEATURES[name].meaning, value, shown)


def _leaves(part: Part) -> Iterator[Part]:
    if part.kind not in GROUPS:
        yield part
    for one in part.parts:
        yield from _leaves(one)


def _document(one: DocumentTold, book: Book, digits: Digits) -> DocumentLine:
    currency = book.in_force.ruling.rules[one.name].body.currency or ""
    return DocumentLine(
        rules=one.name,
        version=one.version,
        live=one.live,
        score=one.score,
        review=one.review,
        decline=one.decline,
        verdict=one.verdict,
        lines=tuple(_rule(rule, one.name, currency, digits) for rule in one.rules),
        caps=tuple(CapLine(group.group, group.points, group.cap, group.counted) for group in one.groups),
    )


def _rule(one: RuleTold, document: str, currency: str, digits: Digits) -> RuleLine:
    rule = one.rule
    return RuleLine(
        rule=f"{document}/{rule.id}",
        why=rule.why,
        stage=rule.stage,
        says=in_words(rule.when, currency, digits),
        gives=gives(rule),
        points=rule.points,
        stop=rule.stop,
        holds=one.when.holds,
        applied=one.applied,
        counted=one.counted,
        instead=one.instead,
        group=rule.group or "",
        values=tuple(
            ValueLine(
                name_of(part.one), part.value, value_of(part.one, part.value, currency, digits), part.holds
            )
            for part in _leaves(one.when)
        ),
    )

"""Statistics of rules and typologies in sliding windows: how often, about how many, how often for nothing.

Kept by kind and day of book time, so that a window is a sum of days. Everything is idempotent: an alert
counts once, by its id; a judgement on it replaces the one before; movements are told as totals. Memory is
bounded: a day of a kind remembers `MOST_ALERTS` alerts and judgements and `MOST_PARTIES` parties, and says
when it is full.

It must never be read by what decides: it tells people which rule is worth what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from detection.hopping import HOUR_MS, Hopping
from schemas.alerts import Alert

WINDOW: Final = Hopping(size_ms=28 * 24 * HOUR_MS, hop_ms=24 * HOUR_MS, late_ms=28 * 24 * HOUR_MS)
MOST_ALERTS: Final = 2_000
MOST_PARTIES: Final = 1_000
PER_MILLE: Final = 1_000

OF_LABELS: Final[dict[str, bool]] = {
    "confirmed_fraud": True,
    "suspicious": True,
    "false_positive": False,
    "legitimate": False,
}
"""What a case's label says of its alerts: whether there was something. All other labels leave it open."""


class Day(msgspec.Struct, array_like=True):
    """What a kind of alert did in a day of book time. alerts, parties: by 64 bits of a digest.

    hits: all alerts, also those that are not remembered one by one any more.
    judged: alerts that people judged on the day, whenever they were raised; whether there was something.
    """

    hits: int
    alerts: set[int]
    parties: set[int]
    judged: dict[int, bool]
    full: bool


class Judgement(msgspec.Struct, frozen=True, tag="judged"):
    """What people made of an alert. at: book time at which the case was closed."""

    kind: str
    alert: str
    at: int
    right: bool


class Totals(msgspec.Struct, array_like=True):
    """Movements of a day of book time, by the partition whose events they are in."""

    by_source: dict[int, int]


class Figures(msgspec.Struct, frozen=True):
    """Of a kind, over a window. share: hits per mille of the movements, -1 where there are none.

    judged: alerts on which cases were closed that say whether there was something.
    false_positive: per mille of those, -1 where there are none.
    repeat: per mille of the hits that are about a party that it had hit already.
    parties_least: there are more, they were not all counted.
    """

    kind: str
    hits: int
    share: int
    judged: int
    false_positive: int
    parties: int
    parties_least: bool
    repeat: int


def no_day() -> Day:
    """A day without alerts."""
    return Day(0, set(), set(), {}, full=False)


def hit(day: Day, alert: Alert) -> None:
    """An alert of the day."""
    known = _id(alert.id)
    if known in day.alerts:
        return
    day.hits += 1
    if len(day.alerts) < MOST_ALERTS:
        day.alerts.add(known)
    else:
        day.full = True
    party = _id64(alert.book, alert.party or alert.account or alert.payee or alert.device)
    if len(day.parties) < MOST_PARTIES:
        day.parties.add(party)
    elif party not in day.parties:
        day.full = True


def judge(day: Day, judgement: Judgement) -> None:
    """People have judged an alert on the day."""
    known = _id(judgement.alert)
    if known in day.judged or len(day.judged) < MOST_ALERTS:
        day.judged[known] = judgement.right
    else:
        day.full = True


def moved(totals: Totals, source: int, count: int) -> None:
    """How many movements a partition has had on the day so far. It never falls."""
    totals.by_source[source] = max(totals.by_source.get(source, 0), count)


def figures(
    days: Iterable[tuple[str, int, Day]], totals: Iterable[tuple[int, Totals]], through: int
) -> Sequence[Figures]:
    """The figures of every kind over the window that ends with the day `through`.

    days: kind and number of each day.   totals: the movements of each day.
    """
    movements = sum(sum(one.by_source.values()) for number, one in totals if WINDOW.within(through, number))
    kinds: dict[str, list[Day]] = {}
    for kind, _, day in sorted(
        (one for one in days if WINDOW.within(through, one[1])), key=lambda one: one[:2]
    ):
        kinds.setdefault(kind, []).append(day)
    return [_figures(kind, kinds[kind], movements) for kind in sorted(kinds)]


def _figures(kind: str, days: Sequence[Day], movements: int) -> Figures:
    hits = sum(one.hits for one in days)
    judged: dict[int, bool] = {}
    for one in days:
        judged |= one.judged  # the last word on an alert is what counts
    false = sum(1 for right in judged.values() if not right)
    parties: set[int] = set().union(*(one.parties for one in days))
    return Figures(
        kind=kind,
        hits=hits,
        share=hits * PER_MILLE // movements if movements else -1,
        judged=len(judged),
        false_positive=false * PER_MILLE // len(judged) if judged else -1,
        parties=len(parties),
        parties_least=any(one.full for one in days),
        repeat=(hits - len(parties)) * PER_MILLE // hits if hits else 0,
    )


def _id(alert: str) -> int:
    """The first 64 bits of an alert's id, which is a digest; any other text is digested."""
    try:
        return int(alert[:16], 16)
    except ValueError:
        return _id64(alert)


def _id64(*parts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\n".join(parts).encode(), digest_size=8).digest(), "big")

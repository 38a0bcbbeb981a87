"""Quality of detection on planted patterns: found of each typology, and false alerts about honest parties.

Honest traffic and plants are commands of one commanded book, decided by the engine and read by the detector.
Each typology is planted below its figures, at them and well beyond, in an account of its own and, where the
pattern can live there, in the account of an honest person that goes on with its habits. Who was planted into
is not honest any more; the helpers on the other side are neither.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from bench.honest import OF_THOUSAND, OPENED_DAYS, Honest
from bench.intervals import bootstrap_rate, wilson
from gateway import planted_documents
from gateway.demo_words import Draw
from gateway.planted import Planted, Planter, commands
from gateway.planted_parts import DAY_MS, HOUR_MS, Level, Step
from gateway.planted_patterns import PATTERNS
from schemas.alerts import Alert
from schemas.documents.kinds import known
from schemas.documents.typologies import Typologies
from schemas.publishing import PublishDocument
from tests.detection_words import alerts_of
from tests.planting import ADMIN, BOOK, CASH, FUNDING, Bank

FIRST = datetime.date(2026, 1, 1)
DAYS = 270
WARM_DAYS = 90
"""What is said of honest parties before is not counted: a first time is no news where all is the first
time."""
LEVELS: tuple[Level, ...] = ("below", "at", "above")
NOT_MIXED = frozenset({"new_account_velocity", "dormant_active"})
"""Patterns of accounts that are new, or long quiet: no account with habits can have them."""
HOSTS = ("wage", "household", "student", "pensioner")


class Found(msgspec.Struct, frozen=True):
    """How many plants of one kind were found. mixed: in the account of somebody with habits."""

    typology: str
    level: Level
    mixed: bool
    planted: int
    found: int
    interval: tuple[float, float]


class Alarms(msgspec.Struct, frozen=True):
    """Alerts about honest parties, of one typology. per_1000: parties, in 30 days.   by_kind: of party, the
    same."""

    typology: str
    alerts: int
    parties: int
    per_1000: float
    interval: tuple[float, float]
    by_kind: dict[str, float]


class Report(msgspec.Struct, frozen=True):
    """The whole result. refused: commands that the engine refused, by reason.   a_day: alerts about
    honest."""

    seed: int
    parties: dict[str, int]
    commands: int
    refused: dict[str, int]
    days: int
    found: list[Found]
    false: list[Alarms]
    honest_alerts_a_day: float
    planted_alerts: int
    other_alerts: int


Figures = Literal["plain", "any-balance", "by-product"]
CHANGES: Final[dict[Figures, dict[str, dict[str, Any]]]] = {
    "plain": {},
    "any-balance": {name: {"left": None} for name in ("layering", "collection_account", "pass_through")},
    "by-product": {
        "fan_in": {"but_products": ["merchant", "property", "club"]},
        "fan_out": {"but_products": ["merchant", "payroll"]},
        "collection_account": {"but_products": ["property"]},
        "benford": {"but_products": ["merchant", "payroll"]},
        "spike": {"deviations": 10, "least": {"EUR": 2_000_00}},
    },
}
"""Other figures. any-balance: it does not matter what is left when money has passed through.   by-product:
products whose business it is are left out, and a spike is one of ten deviations.
"""


def measure(seed: int, parties: int, plants: int, figures: Figures = "plain") -> Report:
    """plants: of each typology, level and place.   figures: see `CHANGES`."""
    honest = Honest(seed, parties, FIRST, DAYS)
    body = planted_documents.document(CHANGES[figures])
    sets = known("typologies", body)
    assert isinstance(sets, Typologies)
    planter = Planter(sets, Draw(seed + 1), funding=FUNDING, cash=CASH)
    steps = [
        Step(
            honest.opened_ms,
            PublishDocument,
            {"kind": "typologies", "document": "watch", "version": 1, "body": body},
        ),
        *planter.opening(honest.opened_ms),
        *honest.steps(),
    ]
    hosts = [one.name for kind in HOSTS for one in honest.of[kind]]
    own, mixed = plant_all(planter, Draw(seed + 2), hosts, honest.began_ms, plants)
    for one in (*own, *mixed):
        steps += one.steps
    bank = Bank(honest.opened_ms, repeat_cap=10_000_000)
    bank.tell(commands(steps, BOOK, ADMIN))
    return result(seed, honest, own, mixed, alerts_of(bank.log), bank)


def plant_all(
    planter: Planter, draw: Draw, hosts: list[str], began_ms: int, plants: int
) -> tuple[list[Planted], list[Planted]]:
    """In accounts of their own, and in those of hosts, a different one each."""
    own, mixed = [], []
    for kind in PATTERNS:
        lead_days = planter.lead_ms(kind) // DAY_MS
        for level in LEVELS:
            for _ in range(plants):
                begins = draw.between(max(WARM_DAYS, lead_days - OPENED_DAYS), DAYS - 45)
                hour = draw.between(8, 18) * HOUR_MS
                at_ms = began_ms + begins * DAY_MS + hour
                opened_ms = at_ms - planter.lead_ms(kind)
                own.append(planter.plant(kind, level, at_ms, opened_ms))
                if kind not in NOT_MIXED:
                    host = hosts.pop(draw.below(len(hosts)))
                    mixed.append(planter.plant_into(kind, level, host, at_ms, at_ms - 5 * DAY_MS))
    return own, mixed


def result(
    seed: int,
    honest: Honest,
    own: Sequence[Planted],
    mixed: Sequence[Planted],
    alerts: Iterable[Alert],
    bank: Bank,
) -> Report:
    """What was found, and what was said of honest parties."""
    about: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        about[alert.party].append(alert)
    infected = {one.account for one in mixed}
    clean = [one for one in honest.everyone if one.name not in infected]
    warm_ms = honest.began_ms + WARM_DAYS * DAY_MS
    said = {
        one.name: Counter(alert.kind for alert in about.get(one.name, ()) if alert.at >= warm_ms)
        for one in clean
    }
    found = []
    for is_mixed, plants in ((False, own), (True, mixed)):
        tally: dict[tuple[str, Level], list[bool]] = defaultdict(list)
        for plant in plants:
            hit = any(
                alert.kind == plant.kind and alert.account == plant.account and is_of(alert, plant)
                for alert in about.get(plant.account, ())
            )
            tally[plant.kind, plant.level].append(hit)
        found += [
            Found(kind, level, is_mixed, len(hits), sum(hits), wilson(sum(hits), len(hits)))
            for (kind, level), hits in tally.items()
        ]
    months = (DAYS - WARM_DAYS) / 30
    false = []
    for kind in PATTERNS:
        counts = [said[one.name][kind] for one in clean]
        rate = sum(counts) * 1_000 / len(counts) / months
        false.append(
            Alarms(
                kind,
                sum(counts),
                len(counts),
                rate,
                bootstrap_rate(counts, seed, 1_000 / months),
                {of: per_kind(said, clean, kind, of) * 1_000 / months for of in OF_THOUSAND},
            )
        )
    named = {one.account for one in (*own, *mixed)}
    total = sum(len(one) for one in about.values())
    on_honest = sum(sum(one.values()) for one in said.values())
    on_planted = sum(len(one) for name, one in about.items() if name in named)
    return Report(
        seed,
        dict(Counter(one.kind for one in clean)),
        bank.told,
        dict(bank.refused),
        DAYS - WARM_DAYS,
        found,
        false,
        on_honest / (DAYS - WARM_DAYS),
        on_planted,
        total - on_honest - on_planted,
    )


def is_of(alert: Alert, plant: Planted) -> bool:
    """Whether it came while the pattern went on, so that a host's own habits are not counted for it."""
    return plant.steps[0].at_ms <= alert.at <= plant.at_ms


def per_kind(said: dict[str, Counter[str]], clean: Sequence[object], typology: str, kind: str) -> float:
    """Alerts a party of this kind."""
    names = [one.name for one in clean if one.kind == kind]  # type: ignore[attr-defined]
    return sum(said[name][typology] for name in names) / len(names) if names else 0.0

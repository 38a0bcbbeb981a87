"""Quality of detection on the AMLSim sets: imported, detected, and only then compared with the labels.

What is not used, and why. The README of the data names two leaks: whoever has sent more than one distinct
amount is a fraud account, and the labels lie beside. So no typology that compares the amounts of one sender
with each other takes part (`LEFT_OUT`), and rows of a step are shuffled, since their order in the file means
nothing in the world. Labels are read by `labels`, after all scores stand.

One step is one day by AMLSim's convention. There is no clock time: every row of a step happens at midnight
UTC of its day, in an order that a seed draws. A window of 72 hours therefore covers four steps. Parties and
accounts are one to one.

Two ways to take the set. `as imported`: nobody may overdraw, so some 62 % of the rows are refused for lack of
money, and what is refused is not seen. `all accepted`: everybody may overdraw without limit, so that all but
the 14 self-transfers move, and balances mean nothing.
"""

from __future__ import annotations

import csv
import gzip
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from bench.ranking import Case, Cut, Weights, average_precision, best, cut, interval, learned, of_the_first
from detection.facts import TransferFace, decode_fact
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from gateway.csv_file import CsvFile
from gateway.imports import import_file
from gateway.mapping import Mapping, read_mapping
from gateway.transfer_rows import Transfers
from schemas.alerts import Alert
from schemas.books import Administrator, OpenBook
from schemas.catalogue import encode
from schemas.message import Command
from schemas.publishing import PublishDocument
from tests.detection_words import alerts_of
from tests.intake import ADMIN, Intake

ROOT: Final = Path(__file__).parent.parent
PAYMENTS: Final = ROOT.parent / "shared" / "data" / "payments"
SETS: Final = ("cycle200", "fan_in200")
How = Literal["as imported", "all accepted"]
Rows = list[list[str]]
"""Sender, receiver, amount and step, as they are written."""
Change = Callable[[Rows, random.Random], Rows]
HOWS: Final[tuple[How, ...]] = ("as imported", "all accepted")
TOTAL, COMBINED, MOVED, MOVEMENTS = "expected loss", "naive Bayes", "money moved", "movements"
"""Scores of an account over all typologies: what triage ranks by; and log-odds, learned on the other set. And
what needs no detection: how much it has moved, and how often.
"""
STEPS: Final = 149

SOURCE: Final = (
    "for AMLSim: amounts from 100 to 600, opening balances of the same size; no label was looked at"
)
LEAST: Final = {"EUR": 200_00}
"""About what is moved at once, so that one ordinary payment alone is never enough for a sum."""
FIGURES: Final[dict[str, dict[str, Any]]] = {
    "aggregation": {"threshold": {"EUR": 1_000_00}, "count": 3},
    "pass_through": {"least": LEAST},
    "fan_in": {"least": LEAST, "count": 3},
    "fan_out": {"least": LEAST, "count": 3},
    "dormant_active": {"least": LEAST, "quiet_days": 30},
    "layering": {"least": LEAST, "payments": 1},
    "circular_flow": {"least": {"EUR": 1}},
    "collection_account": {"least": LEAST, "payers": 3},
}
LEFT_OUT: Final = {
    "spike": "it compares a sender's amounts with each other: every honest one sends one fixed amount",
    "repeated_amounts": "so does this one",
    "round_amounts": "the share of round amounts of a sender is 0 or 1 where all are one amount",
    "benford": "the first digits of one fixed amount follow no law",
    "structuring": "there is no cash and no threshold to stay under",
    "new_account_velocity": "nobody knows when an account was opened",
    "profile_then_payout": "there are no profiles",
    "high_risk_country": "there are no countries",
}
SHARED: Final = frozenset({"circular_flow"})
"""Alerts that are about everybody in their evidence: who is in a circle is part of it."""


class Scored(msgspec.Struct):
    """A set after detection. accounts: all.   scores: by typology and account, see `score`.   alerts: by
    typology.   shares: of the rows, accepted.
    """

    accounts: list[str]
    scores: dict[str, dict[str, float]]
    alerts: dict[str, int]
    moved: dict[str, float]
    movements: dict[str, float]
    rows: int
    accepted: int


def scored(data: Path, name: str, how: How, seed: int, change: Change = lambda rows, chance: rows) -> Scored:
    """Import a set, detect, and score its accounts. The labels are not read.

    change: what is done to the rows before, to see whether anything depends on it.
    """
    log, rows, accepted = imported(data / f"amlsim_{name}", name, how, seed, change)
    sides = {
        fact.seq: (fact.debit, fact.credit)
        for fact in (decode_fact(record.value) for record in log.events(BEFORE_FIRST))
        if isinstance(fact, TransferFace)
    }
    alerts = alerts_of(log)
    with gzip.open(data / f"amlsim_{name}" / "accounts.csv.gz", "rt", newline="") as stream:
        accounts = [row["nodeid"] for row in csv.DictReader(stream)]
    by_kind: dict[str, int] = dict.fromkeys(FIGURES, 0)
    for alert in alerts:
        by_kind[alert.kind] += 1
    return Scored(accounts, scores_of(alerts, sides), by_kind, *moved_by(log), rows, accepted)


def moved_by(log: MemoryLog) -> tuple[dict[str, float], dict[str, float]]:
    """By account: how much came and went in all, and how often. Both take no detection."""
    moved: dict[str, float] = defaultdict(float)
    movements: dict[str, float] = defaultdict(float)
    for record in log.events(BEFORE_FIRST):
        fact = decode_fact(record.value)
        if isinstance(fact, TransferFace) and fact.debit != "opening-balances":
            for account in (fact.debit, fact.credit):
                moved[account] += fact.amount / 100
                movements[account] += 1
    return moved, movements


def scores_of(alerts: list[Alert], sides: dict[int, tuple[str, str]]) -> dict[str, dict[str, float]]:
    """By typology and account: expected loss, the sum over alerts of amount times confidence, in units of the
    currency. It is what triage ranks by, and nothing in it is fitted.
    """
    scores: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for alert in alerts:
        about = {alert.account}
        if alert.kind in SHARED:
            about = {side for seen in alert.evidence for side in sides[seen.seq]}
        for account in about:
            scores[alert.kind][account] += alert.amount * alert.confidence / 100_000
    return scores


def labels(data: Path, name: str) -> dict[str, bool]:
    """Which accounts are fraud. For measuring only: nothing that scores may call this."""
    with gzip.open(data / f"amlsim_{name}" / "alert_labels.csv.gz", "rt", newline="") as stream:
        return {row["nodeid"]: row["isFraud"] == "1" for row in csv.DictReader(stream)}


def imported(folder: Path, name: str, how: How, seed: int, change: Change) -> tuple[MemoryLog, int, int]:
    """The set in a book that looks for these patterns: its log, how many rows, and how many were accepted."""
    mapping = read_mapping(ROOT / "examples" / f"amlsim_{name}.yaml")
    with tempfile.TemporaryDirectory(prefix="amlsim-") as place:
        file = shuffled(folder / "transactions.csv.gz", Path(place) / "transactions.csv", seed, change)
        mapping = overdrawn(folder, Path(place), mapping, how)
        log = MemoryLog()
        intake = Intake(log)
        opens_ms = Transfers(CsvFile(file, mapping.file), mapping).opens_at_ms()
        body = {kind: {"source": SOURCE, "stage": "live", **one} for kind, one in FIGURES.items()}
        for command in opening(mapping, opens_ms, body):
            intake.submit([Out(mapping.book.id.encode(), encode(command))])
        result = import_file(file, mapping, ADMIN, intake.submit, intake, another=True, batch=10_000)
    return log, result.rows, result.accepted


def opening(mapping: Mapping, opens_ms: int, body: dict[str, Any]) -> Iterator[Command]:
    """The book and its document, before the import."""
    envelope: dict[str, Any] = {"book": mapping.book.id, "actor": ADMIN, "issued_at_ms": opens_ms}
    yield OpenBook(
        id="open",
        name=mapping.book.name,
        currency=mapping.book.currency,
        time_zone=mapping.book.time_zone,
        clock="commanded",
        repeat_cap=1_000_000,
        administrators=(Administrator(person=f"person-{ADMIN}", user=ADMIN),),
        **envelope,
    )
    yield PublishDocument(id="watch", kind="typologies", document="watch", version=1, body=body, **envelope)


def shuffled(file: Path, to: Path, seed: int, change: Change) -> Path:
    """The rows in another order within each step, so that none can mean anything."""
    chance = random.Random(seed)
    with gzip.open(file, "rt", newline="") as stream:
        header, *rows = csv.reader(stream)
    rows = change(rows, chance)
    rows.sort(key=lambda row: (int(row[3]), chance.random()))
    with to.open("w", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    return to


def overdrawn(folder: Path, place: Path, mapping: Mapping, how: How) -> Mapping:
    """The mapping with its accounts beside the rows, and an overdraft where everything is to be accepted."""
    assert mapping.accounts is not None, "the set has a file of accounts"
    with gzip.open(folder / mapping.accounts.file, "rt", newline="") as stream:
        header, *rows = csv.reader(stream)
    with (place / "accounts.csv").open("w", newline="") as out:
        csv.writer(out).writerows([[*header, "overdraft"], *([*row, "1000000.00"] for row in rows)])
    changes: dict[str, Any] = {"file": "accounts.csv"}
    if how == "all accepted":
        changes["columns"] = mapping.accounts.columns.model_copy(update={"overdraft": "overdraft"})
    return mapping.model_copy(update={"accounts": mapping.accounts.model_copy(update=changes)})


# --- figures ----------------------------------------------------------------------------------------------


class Rated(msgspec.Struct, frozen=True):
    """A score on a set. flagged, precision, recall: of all accounts with any evidence.   of_100: how many of
    the hundred with the highest score are guilty, ties shared.

    at_threshold: with the threshold that was best, by F1, on the other set.
    """

    score: str
    flagged: int
    precision: float
    recall: float
    of_100: float
    average_precision: float
    interval: tuple[float, float]
    at_threshold: Cut


class OfSet(msgspec.Struct, frozen=True):
    """A set, rated."""

    rows: int
    accepted: int
    base_rate: float
    alerts: int
    rated: list[Rated]


class Report(msgspec.Struct, frozen=True):
    """Both sets. weights: of the combination, as learned on each."""

    how: How
    seed: int
    sets: dict[str, OfSet]
    weights: dict[str, Weights]


def measure(data: Path, how: How, seed: int, resamples: int) -> Report:
    """Detect on both sets, then read the labels."""
    both = {name: scored(data, name, how, seed) for name in SETS}
    guilty = {name: labels(data, name) for name in SETS}
    weights = {
        name: learned({kind: set(both[name].scores.get(kind, ())) for kind in FIGURES}, guilty[name])
        for name in SETS
    }
    found = {}
    for name, other in zip(SETS, reversed(SETS), strict=True):
        here, there = (
            {
                **plain(both[of]),
                COMBINED: combined(both[of], weights[other]),
                MOVED: both[of].moved,
                MOVEMENTS: both[of].movements,
            }
            for of in (name, other)
        )
        rated = [
            rate(score, here[score], guilty[name], best(cases(there[score], guilty[other])), seed, resamples)
            for score in here
        ]
        one = both[name]
        base = sum(guilty[name].values()) / len(guilty[name])
        found[name] = OfSet(one.rows, one.accepted, base, sum(one.alerts.values()), rated)
    return Report(how, seed, found, weights)


def plain(one: Scored) -> dict[str, dict[str, float]]:
    """The score of each typology, and of all: expected loss over all of them. Nothing in it is learned."""
    total: dict[str, float] = defaultdict(float)
    for scores in one.scores.values():
        for account, score in scores.items():
            total[account] += score
    return {**{kind: one.scores.get(kind, {}) for kind in FIGURES}, TOTAL: total}


def combined(one: Scored, weights: Weights) -> dict[str, float]:
    """The log-odds by which typologies have noticed an account, of those that any has."""
    said: dict[str, list[str]] = defaultdict(list)
    for kind, scores in one.scores.items():
        for account in scores:
            said[account].append(kind)
    nothing = weights.score(())
    return {account: weights.score(kinds) - nothing for account, kinds in said.items()}


def cases(scores: dict[str, float], guilty: dict[str, bool]) -> list[Case]:
    """Every account; who is not noticed has nothing."""
    return [(scores.get(account, 0.0), is_guilty) for account, is_guilty in guilty.items()]


def rate(
    score: str,
    scores: dict[str, float],
    guilty: dict[str, bool],
    threshold: float,
    seed: int,
    resamples: int,
) -> Rated:
    """The figures of one score."""
    every = cases(scores, guilty)
    hits = sum(guilty[account] for account in scores)
    return Rated(
        score,
        len(scores),
        hits / len(scores) if scores else 0.0,
        hits / sum(guilty.values()),
        of_the_first(every, 100),
        average_precision(every),
        interval(every, seed, resamples),
        cut(every, threshold),
    )

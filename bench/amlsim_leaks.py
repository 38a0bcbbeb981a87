"""What gives the labels of the AMLSim sets away, counted: so that nobody has to take our word for what is not
used.

It is no part of detection or of its measurement, and nothing imports it but the command that prints it.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from pathlib import Path

import msgspec

SMALL = 100.0
"""No honest sender sends less."""


class Leaks(msgspec.Struct, frozen=True):
    """distinct: senders of more than one amount.   small, small_by_distinct: rows below 100, and those of
    these senders.   copies, small_copies: rows that are there already, and those of small amounts.

    circles: ways over small amounts, each sender's first, that come back through three accounts or more; how
    many of them have their steps in the order of time, and within how many days the quickest is closed, in
    any order.
    """

    name: str
    distinct: int
    distinct_guilty: int
    small: int
    small_by_distinct: int
    copies: int
    small_copies: int
    circles: int
    circles_in_order: int
    quickest_days: int


def leaks(data: Path, name: str) -> Leaks:
    """Of one set."""
    folder = data / f"amlsim_{name}"
    with gzip.open(folder / "transactions.csv.gz", "rt", newline="") as stream:
        rows = [(a, b, value, int(step)) for a, b, value, step in list(csv.reader(stream))[1:]]
    with gzip.open(folder / "alert_labels.csv.gz", "rt", newline="") as stream:
        guilty = {row["nodeid"] for row in csv.DictReader(stream) if row["isFraud"] == "1"}
    amounts: dict[str, set[str]] = defaultdict(set)
    for sender, _, value, _ in rows:
        amounts[sender].add(value)
    distinct = {sender for sender, some in amounts.items() if len(some) > 1}
    small = [row for row in rows if float(row[2]) < SMALL]
    copies = {row: count - 1 for row, count in Counter(rows).items() if count > 1}
    circles = circles_of(small)
    return Leaks(
        name,
        len(distinct),
        len(distinct & guilty),
        len(small),
        sum(row[0] in distinct for row in small),
        sum(copies.values()),
        sum(count for row, count in copies.items() if float(row[2]) < SMALL),
        len(circles),
        sum(in_order(steps) for steps in circles),
        min((max(steps) - min(steps) for steps in circles), default=0),
    )


def circles_of(rows: list[tuple[str, str, str, int]]) -> list[list[int]]:
    """The steps of each circle, from some account on."""
    first: dict[str, tuple[str, int]] = {}
    for sender, receiver, _, step in rows:
        first.setdefault(sender, (receiver, step))
    found: dict[frozenset[str], list[int]] = {}
    for begin in first:
        here, steps, been = begin, [], [begin]
        while here in first:
            here, step = first[here]
            steps.append(step)
            if here in been:
                break
            been.append(here)
        if here == begin and len(steps) > 2:
            found.setdefault(frozenset(been), steps)
    return list(found.values())


def in_order(steps: list[int]) -> bool:
    """Whether the money could have gone round: from one of the accounts on, no step is before the one
    before."""
    turns = [steps[n:] + steps[:n] for n in range(len(steps))]
    return any(turn == sorted(turn) for turn in turns)

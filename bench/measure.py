"""How it is measured: one way to count, to take turns, and to say a median.

Every figure is the median of several rounds after a warm-up. In a round each contender has its turn, so that
a noisy minute of the machine meets all of them and not one. Nothing here knows what is measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import msgspec


class Size(msgspec.Struct, frozen=True):
    """How much a turn does: `events` commands or `seconds`, whichever is over first; and how many rounds."""

    events: int = 100_000
    seconds: float = 4.0
    rounds: int = 3


class Sample(msgspec.Struct, frozen=True):
    """One turn. latencies_s: of each batch, from submit to answer, where it was measured."""

    done: int
    seconds: float
    latencies_s: list[float] = []


class Figure(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line of the result. ratio: `per_s` over the peer's.   seconds: of all the work, where it ends.

    ns: of a command that a step takes; or of reading a feature.   count_ns: of counting for it.
    """

    workload: str
    log: str = ""
    batch: int = 0
    per_s: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    longest_ms: float | None = None
    seconds: float | None = None
    peer: str = ""
    ratio: float | None = None
    bytes_per_account: int = 0
    ns: int = 0
    count_ns: int | None = None


class Contender(msgspec.Struct, frozen=True):
    """Something that takes turns. turn: does the work once and says what it took.

    against: names of the peers to which it is compared, out of the same rounds; `name@batch` for one of
        several batch sizes.
    """

    workload: str
    turn: Callable[[], Sample]
    log: str = ""
    batch: int = 0
    against: tuple[str, ...] = ()


def figures(contenders: Sequence[Contender], rounds: int, began: Callable[[str], Any]) -> list[Figure]:
    """The medians of `rounds` rounds over all contenders, after one that does not count."""
    samples: list[list[Sample]] = [[] for _ in contenders]
    for count in range(rounds + 1):
        for contender, taken in zip(contenders, samples, strict=True):
            began(f"{contender.workload} batch {contender.batch or '-'}, round {count} of {rounds}")
            taken.append(contender.turn())
    rates = [statistics.median(sample.done / sample.seconds for sample in taken[1:]) for taken in samples]
    by_name = {contender.workload: rate for contender, rate in zip(contenders, rates, strict=True)}
    by_name |= {f"{one.workload}@{one.batch}": rate for one, rate in zip(contenders, rates, strict=True)}
    found = []
    for contender, taken, rate in zip(contenders, samples, rates, strict=True):
        latencies = sorted(one for sample in taken[1:] for one in sample.latencies_s)
        figure = Figure(
            workload=contender.workload,
            log=contender.log,
            batch=contender.batch,
            per_s=round(rate),
            p50_ms=at(latencies, 0.50),
            p99_ms=at(latencies, 0.99),
        )
        found += [
            msgspec.structs.replace(
                figure,
                peer=peer.partition("@")[0] if "@" in peer else peer.rpartition("/")[2],
                ratio=round(rate / by_name[peer], 2 if "@" in peer else 1),
            )
            for peer in contender.against
        ] or [figure]
    return found


def at(ordered: Sequence[float], share: float) -> float | None:
    """The latency that `share` of the batches do not exceed, in ms."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000, 3) if ordered else None

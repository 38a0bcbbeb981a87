"""`kafka`: end to end on a real broker beside the engine, durable: acks=all, idempotence, lz4, transactions.

A broker, an engine for each partition and the load are processes of their own, on the same cores. The maximum
is measured on commands that wait already, from the first commit to the last; latencies at a part of it, from
when a command was to be sent until its committed event was read. Nothing that touches a broker is done in
this process: it only tells the others.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from bench import kafka_engine, kafka_load
from bench.book import Contention
from bench.kafka_engine import ADAPTS, Drained
from bench.measure import Figure, Size, at, figures
from bench.peers import faust_table, postgres
from engine.broker import Cluster
from engine.log.topic_settings import create
from engine.log.topics import Kafka, partition_of

CONTENTIONS: Final[tuple[Contention, ...]] = ("product-10k", "uniform-10k")
"""With everything in force, and a simple book."""
COUNTS: Final = {1: 500, 100: 20_000, 1_000: 60_000, 5_000: 80_000}
"""How many commands a turn decides, by batch limit: about a second of work."""
SHARES: Final = (0.25, 0.5, 0.75)
OFFERED_S: Final = 6.0
LARGE: Final = 5_000
SETTLES_S: Final = 1.0
"""What a worker needs before its first command, for a collection of all that is loaded."""

NAME: Final = "kafka"
RULED: Final = "kafka-rules"
WITH_RULES: Final[tuple[Contention, ...]] = ("uniform-10k", "rules-30")
"""Beside the same book without, in the same run."""

Say = Callable[[Figure], None]
_FORKS = multiprocessing.get_context("fork")  # so that all know the same keys


class Helper:
    """A process that is told what to do through a pipe."""

    def __init__(self, main: Callable[..., None], *given: Any) -> None:
        self._pipe, theirs = _FORKS.Pipe()
        self.process = _FORKS.Process(target=main, args=(theirs, *given), daemon=True)
        self.process.start()
        theirs.close()

    def tell(self, *what: Any) -> None:
        self._pipe.send(what)

    def answer(self, timeout_s: float = 180.0) -> Any:
        assert self._pipe.poll(timeout_s), "no answer came"
        return self._pipe.recv()

    def ask(self, *what: Any) -> Any:
        self.tell(*what)
        return self.answer()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.tell("over")
        self.process.join(15)
        if self.process.is_alive():
            self.process.kill()


class Place:
    """Topics of their own, an engine and a load for each partition."""

    def __init__(self, bootstrap: str, contention: Contention, partitions: int) -> None:
        kafka = Kafka(bootstrap, f"bench{secrets.token_hex(4)}")
        _apart(_create, kafka, partitions)
        names = [_book_on(partition, partitions) for partition in range(partitions)]
        given = [(kafka, number, name, contention) for number, name in enumerate(names)]
        self.engines = [Helper(kafka_engine.main, *one) for one in given]
        for engine in self.engines:
            assert engine.answer() == "founded"
        self.loads = [Helper(kafka_load.main, *one) for one in given]
        for load in self.loads:
            assert load.answer() == "ready"

    def drain(self, batch: int, count: int, *, steps: bool = False) -> list[Drained]:
        """Each engine decides so many commands that wait already, all at the same time."""
        for load in self.loads:
            load.ask("fill", count)
        for engine in self.engines:
            engine.tell("drain", batch, count, steps)
        found = [engine.answer() for engine in self.engines]
        for load in self.loads:
            load.ask("read", count)
        return found

    def offer(self, batch: int, per_s: float) -> list[float]:
        """Latencies in s, in order, where each engine is offered its part of so many commands a second."""
        for engine in self.engines:
            engine.tell("run", batch)
        time.sleep(SETTLES_S)
        for load in self.loads:
            load.tell("offer", per_s / len(self.loads), OFFERED_S)
        found = [one for load in self.loads for one in load.answer()]
        for engine in self.engines:
            assert engine.ask("stop") == "stopped"
        return sorted(found)

    def close(self) -> None:
        for one in (*self.loads, *self.engines):
            one.close()


def measure(size: Size, folder: Path, say: Say, began: Callable[[str], None]) -> None:
    """Everything, with the peers in the same run."""
    began("starting a broker")
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="dbk", dir="/tmp"))
        bootstrap = stack.enter_context(Cluster(Path(place))).bootstrap
        best: dict[str, int] = {}
        for partitions in (1, 2):
            for contention in CONTENTIONS:
                name = f"{contention}/kafka-{partitions}"
                began(f"{name}: setting up")
                with contextlib.closing(Place(bootstrap, contention, partitions)) as site:
                    batches = COUNTS if partitions == 1 else (1_000, LARGE)
                    for batch in batches:
                        began(f"{name}, batch {batch}")
                        rate = _maximum(site, batch, size.rounds)
                        best[name] = max(rate, best.get(name, 0))
                        say(Figure(workload=name, log="kafka", batch=batch, per_s=rate))
                    for figure in _latencies(site, name, best[name], began):
                        say(figure)
                    if partitions == 1:
                        began(f"{name}, where the time goes")
                        for figure in _steps(site, name):
                            say(figure)
        for figure in _peers(bootstrap, size, folder, best, began):
            say(figure)


def measure_ruled(size: Size, say: Say, began: Callable[[str], None]) -> None:
    """One partition with thirty rules in force: the most, and latencies at half of it."""
    began("starting a broker")
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="dbk", dir="/tmp"))
        bootstrap = stack.enter_context(Cluster(Path(place))).bootstrap
        for contention in WITH_RULES:
            name = f"{contention}/kafka-1"
            began(f"{name}: setting up")
            with contextlib.closing(Place(bootstrap, contention, 1)) as site:
                rates = {batch: _maximum(site, batch, size.rounds) for batch in (1_000, LARGE)}
                for batch, rate in rates.items():
                    say(Figure(workload=name, log="kafka", batch=batch, per_s=rate))
                latencies = site.offer(ADAPTS, max(rates.values()) / 2)
                say(
                    Figure(
                        workload=f"{name}/at-50%",
                        log="kafka",
                        batch=ADAPTS,
                        per_s=round(max(rates.values()) / 2),
                        p50_ms=at(latencies, 0.50),
                        p99_ms=at(latencies, 0.99),
                        p999_ms=at(latencies, 0.999),
                        longest_ms=at(latencies, 1.0),
                    )
                )


def _peers(
    bootstrap: str, size: Size, folder: Path, best: dict[str, int], began: Callable[[str], None]
) -> Iterator[Figure]:
    """A Faust agent on the same broker, then plain PostgreSQL; each with how many times it we are."""
    began("faust-table")
    faust = Helper(faust_table.measured, Kafka(bootstrap, f"bench{secrets.token_hex(4)}"), faust_table.COUNT)
    rates = {"faust-table": round(faust.answer(400.0))}
    faust.close()
    yield Figure(workload="uniform-10k/faust-table", log="kafka", per_s=rates["faust-table"])
    with contextlib.ExitStack() as stack:
        for figure in figures(postgres.contenders("uniform-10k", size, folder, stack), 1, began):
            rates[figure.workload.rpartition("/")[2]] = figure.per_s
            yield figure
    for name in (f"{contention}/kafka-1" for contention in CONTENTIONS):
        for peer, rate in rates.items():
            yield Figure(
                workload=name, log="kafka", per_s=best[name], peer=peer, ratio=round(best[name] / rate, 1)
            )


def _maximum(site: Place, batch: int, rounds: int) -> int:
    """The median over the rounds of what all engines decide together, after one that does not count."""
    rates = []
    for _ in range(rounds + 1):
        drained = site.drain(batch, COUNTS[batch])
        rates.append(sum(one.commands for one in drained) / max(one.seconds for one in drained))
    return round(statistics.median(rates[1:]))


def _latencies(site: Place, name: str, most: int, began: Callable[[str], None]) -> Iterator[Figure]:
    """At parts of the maximum, the worker finding its own batches; and one by one, far below it."""
    offered = [(ADAPTS, most * share, f"{name}/at-{share:.0%}") for share in SHARES]
    if len(site.engines) == 1:
        offered.append((1, 50.0, f"{name}/one-by-one"))
    for batch, per_s, workload in offered:
        began(workload)
        latencies = site.offer(batch, per_s)
        yield Figure(
            workload=workload,
            log="kafka",
            batch=batch,
            per_s=round(per_s),
            p50_ms=at(latencies, 0.50),
            p99_ms=at(latencies, 0.99),
            p999_ms=at(latencies, 0.999),
            longest_ms=at(latencies, 1.0),
        )


def _steps(site: Place, name: str) -> Iterator[Figure]:
    (drained,) = site.drain(1_000, COUNTS[1_000], steps=True)
    for step, ns in drained.steps_ns.items():
        yield Figure(workload=f"{name}/{step}", log="kafka", batch=1_000, ns=ns)


def _book_on(partition: int, partitions: int) -> str:
    return next(
        name
        for name in (f"bench-{number}" for number in range(1_000))
        if partition_of(name.encode(), partitions) == partition
    )


def _create(told: Connection, kafka: Kafka, partitions: int) -> None:
    create(kafka, partitions, 1)
    told.send("made")


def _apart(main: Callable[..., None], *given: Any) -> None:
    helper = Helper(main, *given)
    helper.answer()
    helper.close()

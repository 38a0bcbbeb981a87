"""An engine over one partition in Kafka, in a process of its own, that is told when to work and how.

It is the real worker on the real log, as `daybook run engine` has it: durable settings, the actor's proof,
the next batch decided while the log takes the one before. What is left out is the group that gives it the
partition.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import msgspec

from bench import book
from bench.book import Contention
from bench.steps import Watch, overhead_ns, watched
from engine.admission import Admission
from engine.genesis import begin
from engine.log.kafka import KafkaLog
from engine.log.records import wall_clock
from engine.log.topics import Kafka
from engine.worker import Worker

ADAPTS = 0
"""Instead of a batch limit: the worker finds its own."""
AT_ONCE = 2_000


class Drained(msgspec.Struct):
    """commands: how many were decided.   seconds: from the first to the last commit of them.

    steps_ns: of a command, by step, where that was asked for.
    """

    commands: int
    seconds: float
    steps_ns: dict[str, int] = {}


class Engine:
    """Founded once; the book stays in memory from one measurement to the next."""

    def __init__(self, kafka: Kafka, partition: int, name: str, contention: Contention) -> None:
        with KafkaLog(kafka, partition, writer=True) as log:
            begin(log, [book.ADMINISTRATOR], wall_clock())
        self._log = KafkaLog(kafka, partition, writer=True)  # which waits until that can be read
        self._worker = Worker(self._log, admission=Admission(book.KEYRING), overlapped=self._log)
        with book.named(name):
            outs = book.set_up(wall_clock(), contention)
        for start in range(0, len(outs), AT_ONCE):
            self._log.submit(outs[start : start + AT_ONCE])
        self._until(self._worker.position + len(outs), 30.0)
        opened = self._worker.folded.partition.books[name]
        assert sum(one.kind == "customer" for one in opened.accounts.values()) == book.ACCOUNTS

    def drain(self, batch: int, count: int, *, steps: bool = False) -> Drained:
        """Decide so many commands, which wait already."""
        self.limit(batch)
        worker = self._worker
        watch = Watch()
        first = worker.position
        with contextlib.ExitStack() as stack:
            if steps:
                stack.enter_context(watched(watch))
                stack.enter_context(_log_watched(watch, worker))
            began = time.perf_counter()
            self._until(first + count, 120.0)
            took = time.perf_counter() - began
        within, around = overhead_ns()
        done = worker.position - first
        found = {
            name: max(0, round((ns - within * watch.calls[name]) / done)) for name, ns in watch.ns.items()
        }
        if steps:
            stopwatches = sum((within + around) * calls for calls in watch.calls.values())
            found["all else"] = round((took * 1e9 - stopwatches) / done - sum(found.values()))
        return Drained(done, took, found)

    def limit(self, batch: int) -> None:
        """Have batches of at most so many."""
        self._worker._adapts = batch == ADAPTS
        self._worker._limit = batch or 1_000

    def run(self, told: Connection) -> None:
        """Work until told to stop."""
        self._ready()
        self._worker.run(told.poll, 0.05)

    def _until(self, position: int, timeout_s: float) -> None:
        ends = time.monotonic() + timeout_s
        worker = self._worker

        def stopping() -> bool:
            assert time.monotonic() < ends, f"{position - worker.position} commands were not decided in time"
            return worker.position >= position

        self._ready()
        worker.run(stopping, 0.05)

    def _ready(self) -> None:
        """A worker that has run has given its thread back."""
        self._worker._beside = ThreadPoolExecutor(1, "commit")

    def close(self) -> None:
        self._log.close()


@contextlib.contextmanager
def _log_watched(watch: Watch, worker: Worker) -> Iterator[None]:
    log = worker.log
    names = {"fetch": (log, "commands"), "produce": (log, "begin_commit"), "commit wait": (worker, "settle")}
    for step, (place, name) in names.items():
        setattr(place, name, watch.over(step, getattr(place, name)))
    try:
        yield
    finally:
        for place, name in names.values():
            delattr(place, name)


def main(told: Connection, kafka: Kafka, partition: int, name: str, contention: Contention) -> None:
    """Found the book, then do what comes: ("drain", batch, count, steps), ("run", batch), ("over",)."""
    engine = Engine(kafka, partition, name, contention)
    told.send("founded")
    while True:
        what, *given = told.recv()
        if what == "drain":
            batch, count, steps = given
            told.send(engine.drain(batch, count, steps=steps))
        elif what == "run":
            engine.limit(*given)
            engine.run(told)
            assert told.recv() == ("stop",)
            told.send("stopped")
        elif what == "over":
            engine.close()
            return

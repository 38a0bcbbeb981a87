"""`embedded`: end to end and durable, from `submit` to the answer, on the SQLite log, `synchronous = FULL`.

As in `daybook up`, one thread submits and the main thread is in `Worker.run`; the socket between them is left
out. One batch is in flight at a time, so a batch's time is the latency of every command in it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bench import book
from bench.book import Contention
from bench.decide import BATCHES, assert_accepted
from bench.measure import Contender, Sample, Size
from engine.admission import Admission
from engine.log.recorder import RecorderLog
from engine.log.records import Out, Record, wall_clock
from engine.pipeline import Answer
from engine.worker import Worker

LARGE = (1_000, 8_000)
"""The batches of the target for accounts with a product."""


class Embedded:
    """One log and its worker for all rounds of one batch size."""

    def __init__(self, folder: Path, contention: Contention, batch: int, size: Size) -> None:
        self._log = RecorderLog.sqlite(folder / f"{contention}-{batch}-{id(self)}.sqlite")
        book.founded(self._log, contention)
        self._worker = Worker(
            self._log, admission=Admission(book.KEYRING), batch=batch, answered=self._answered
        )
        self._contention = contention
        self._batch = batch
        self._size = size
        self._turns = 0
        self._accepted = 0
        self._left = 0
        self._all_answered = threading.Event()

    def turn(self) -> Sample:
        """Submit batch after batch, each when the one before is answered."""
        self._turns += 1
        seed = self._batch * 100 + self._turns
        outs = book.transfers(self._contention, self._size.events, seed, wall_clock())
        over = threading.Event()
        latencies: list[float] = []

        def submit() -> None:
            ends = time.perf_counter() + self._size.seconds
            for start in range(0, len(outs), self._batch):
                latencies.append(self._submitted(outs[start : start + self._batch]))
                if time.perf_counter() > ends:
                    break
            over.set()
            self._log.wake()

        upstream = threading.Thread(target=submit)
        upstream.start()
        self._worker.run(over.is_set)
        upstream.join()
        done = min(len(outs), len(latencies) * self._batch)
        self._accepted += done
        assert_accepted(self._worker.folded.partition, self._accepted)
        return Sample(done, sum(latencies), latencies)

    def _submitted(self, outs: Sequence[Out]) -> float:
        self._left = len(outs)
        self._all_answered.clear()
        began = time.perf_counter()
        self._log.submit(outs)
        self._all_answered.wait()
        return time.perf_counter() - began

    def _answered(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        self._left -= len(answers)
        if self._left == 0:
            self._all_answered.set()

    def close(self) -> None:
        self._log.close()


def contenders(
    contention: Contention, size: Size, folder: Path, stack: contextlib.ExitStack, peers: tuple[str, ...]
) -> list[Contender]:
    """One for every batch size; at 1 and at 1,000 they are compared with the peers. Accounts with a product
    or with rules are compared with the same accounts without, in large batches.
    """
    found: list[Contender] = []
    if contention not in ("uniform-10k", "hot-account"):
        for batch in LARGE:
            found.append(_contender("uniform-10k", batch, size, folder, stack, ()))
            without = f"{found[-1].workload}@{batch}"
            found.append(_contender(contention, batch, size, folder, stack, (without,)))
        return found
    for batch in BATCHES:
        against = peers if batch in (1, 1_000) else ()
        found.append(_contender(contention, batch, size, folder, stack, against))
    return found


def _contender(
    contention: Contention,
    batch: int,
    size: Size,
    folder: Path,
    stack: contextlib.ExitStack,
    against: tuple[str, ...],
) -> Contender:
    one = stack.enter_context(contextlib.closing(Embedded(folder, contention, batch, size)))
    return Contender(f"{contention}/embedded", one.turn, "sqlite", batch, against)

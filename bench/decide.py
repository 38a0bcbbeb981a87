"""`decide`: from the bytes of a record to the linked bytes of its events, without a log.

The worker and the pipeline are the real ones, with proof of the actor, roles, repeats and links; only the log
is one that keeps nothing. Garbage collection is set as `Worker.run` sets it, because it is `Worker.run`.
"""

from __future__ import annotations

import functools
import itertools

import msgspec

from bench import book
from bench.book import Contention
from bench.measure import Contender, Sample, Size
from bench.unkept import Unkept
from book.state import Partition
from engine.admission import Admission
from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.records import wall_clock
from engine.worker import Worker

BATCHES = (1, 10, 100, 1_000, 8_000)
WITH_RULES = (100, 1_000)


@functools.cache
def opened(contention: Contention) -> bytes:
    """The book after its set-up, packed, so that every turn starts from the same state."""
    return msgspec.msgpack.encode(book.founded(MemoryLog(), contention).folded)


def turn(contention: Contention, batch: int, count: int) -> Sample:
    """Decide `count` transfers in batches of `batch`."""
    folded = msgspec.msgpack.decode(opened(contention), type=Folded)
    first, now_ms = folded.partition.position + 1, wall_clock()
    log = Unkept(book.transfers(contention, count, batch, now_ms), first, now_ms)
    worker = Worker(log, folded, admission=Admission(book.KEYRING), batch=batch)
    before = folded.partition.books[book.BOOK].seq
    worker.run(lambda: log.is_over, 0.0)
    done = folded.partition.books[book.BOOK].seq - before
    assert_accepted(folded.partition, count)
    assert done >= count, f"{done} events for {count} commands"
    times = log.times_s
    return Sample(count, times[-1] - times[0], [b - a for a, b in itertools.pairwise(times)])


def assert_accepted(partition: Partition, count: int) -> None:
    """Raises where not every transfer was accepted: a refusal is cheaper, and would flatter the figure."""
    accepted = sum(len(day.transfers) for day in partition.books[book.BOOK].posted)
    expected = count + book.ACCOUNTS
    if partition.books[book.BOOK].in_force.ruling.key:
        expected += book.HABITS
    assert accepted == expected, f"{expected - accepted} transfers were refused"


def contenders(contention: Contention, size: Size) -> list[Contender]:
    """One for every batch size. Accounts with a product, or with rules, are compared with
    the same accounts without."""
    if contention in ("product-10k", "rules-10", "rules-30"):
        batches = BATCHES if contention == "product-10k" else WITH_RULES
        return [one for batch in batches for one in _pair(contention, batch, size)]
    return [_contender(contention, batch, size) for batch in BATCHES]


def _pair(contention: Contention, batch: int, size: Size) -> tuple[Contender, Contender]:
    """One after the other, so that both meet the same noise."""
    without = _contender("uniform-10k", batch, size)
    return without, _contender(contention, batch, size, (f"{without.workload}@{batch}",))


def _contender(contention: Contention, batch: int, size: Size, against: tuple[str, ...] = ()) -> Contender:
    work = functools.partial(turn, contention, batch, size.events)
    return Contender(f"{contention}/decide", work, "none", batch, against)

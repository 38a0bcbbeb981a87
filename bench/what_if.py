"""`what-if`: the rate at which history is decided again under another tariff, beside deciding it at first.

Transfers between accounts with three limits, a tariff and an approval policy are decided into a log in
memory, then what-if decides the same ones again from that log: with a tariff like the one in force, where no
outcome changes, and with one twice as dear, where all do. Folding what came before is part of a real question
and no part of this figure, since it is the same whatever is asked.
"""

from __future__ import annotations

import copy
import functools
import gc
import time
from typing import Any

from bench import book
from bench.measure import Contender, Sample, Size
from engine.log.memory import MemoryLog
from engine.log.records import wall_clock
from replay.drafts import Drafted
from replay.what_if import what_if

BATCH = 8_000
NAMES = ("what-if/decide", "what-if/same", "what-if/dearer")


@functools.cache
def _history(count: int) -> tuple[MemoryLog, int]:
    """A log with `count` transfers, and when they begin."""
    log = MemoryLog()
    worker = book.founded(log, "product-10k")
    time.sleep(0.01)
    from_ms = wall_clock()
    time.sleep(0.01)
    log.submit(book.transfers("product-10k", count, 1, wall_clock()))
    while worker.step():
        pass
    return log, from_ms


def decide(count: int) -> Sample:
    """Decide transfers by the worker, into the log in memory."""
    log = MemoryLog()
    worker = book.founded(log, "product-10k")
    log.submit(book.transfers("product-10k", count, 2, wall_clock()))
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    while worker.step():
        pass
    took = time.perf_counter() - began
    gc.enable()
    return Sample(count, took)


def again(count: int, *, dearer: bool) -> Sample:
    """Decide the same history again under a tariff, and take off what folding alone takes."""
    log, from_ms = _history(count)
    body: dict[str, Any] = copy.deepcopy(book.TARIFF)
    if dearer:
        for line in body["lines"]:
            line["flat"], line["least"] = 2 * line.get("flat", 0), 2 * line.get("least", 0)
    draft = Drafted("tariff", book.PRODUCT, body)
    began = time.perf_counter()
    found = what_if(log.reader(), book.BOOK, [draft], from_ms)
    took = time.perf_counter() - began
    assert not found.refused, "the tariff is one that the book takes"
    assert (found.commands, found.changed) == (count, count if dearer else 0)
    began = time.perf_counter()
    none = what_if(log.reader(), book.BOOK, [draft], from_ms, from_ms)
    return Sample(count, took - (time.perf_counter() - began) if none.commands == 0 else took)


def contenders(size: Size) -> list[Contender]:
    """Deciding, and deciding again."""
    decided, same, dear = NAMES
    return [
        Contender(decided, functools.partial(decide, size.events), "memory", BATCH),
        Contender(same, functools.partial(again, size.events, dearer=False), "memory", 0, (decided,)),
        Contender(dear, functools.partial(again, size.events, dearer=True), "memory", 0, (decided,)),
    ]

"""`what-if`: the rate at which history is decided again under another tariff, beside deciding it at first.

Transfers between accounts with three limits, a tariff and an approval policy are decided into a log in
memory, then what-if decides the same ones again from that log: with a tariff like the one in force, where no
outcome changes, and with one twice as dear, where all do. So are transfers under ten rules, of which the
draft makes one stricter. Folding what came before is part of a real question and no part of this figure,
since it is the same whatever is asked.
"""

from __future__ import annotations

import copy
import functools
import gc
import time
from typing import Any

from bench import book
from bench.book import Contention
from bench.measure import Contender, Sample, Size
from bench.ruled import RULES
from engine.log.memory import MemoryLog
from engine.log.records import wall_clock
from replay.drafts import Drafted
from replay.what_if import what_if

BATCH = 8_000
NAMES = ("what-if/decide", "what-if/same", "what-if/dearer", "what-if/decide-rules", "what-if/rules")


@functools.cache
def _history(count: int, contention: Contention) -> tuple[MemoryLog, int]:
    """A log with `count` transfers, and when they begin."""
    log = MemoryLog()
    worker = book.founded(log, contention)
    time.sleep(0.01)
    from_ms = wall_clock()
    time.sleep(0.01)
    log.submit(book.transfers(contention, count, 1, wall_clock()))
    while worker.step():
        pass
    return log, from_ms


def decide(count: int, contention: Contention) -> Sample:
    """Decide transfers by the worker, into the log in memory."""
    log = MemoryLog()
    worker = book.founded(log, contention)
    log.submit(book.transfers(contention, count, 2, wall_clock()))
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
    log, from_ms = _history(count, "product-10k")
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
    return Sample(count, took - _folding(log, draft, from_ms))


def under_rules(count: int) -> Sample:
    """Decide history again under rules of which one is stricter."""
    log, from_ms = _history(count, "rules-10")
    body: dict[str, Any] = copy.deepcopy(RULES["rules-10"])
    stricter = next(one for one in body["rules"] if one["id"] == "much-in-a-day")
    stricter["when"]["at_least"] //= 2
    draft = Drafted("rules", book.PRODUCT, body)
    began = time.perf_counter()
    found = what_if(log.reader(), book.BOOK, [draft], from_ms)
    took = time.perf_counter() - began
    assert not found.refused, "the rules are some that the book takes"
    assert found.commands == count
    assert found.risk is not None
    assert found.risk.movements == count
    return Sample(count, took - _folding(log, draft, from_ms))


def _folding(log: MemoryLog, draft: Drafted, from_ms: int) -> float:
    """What a question takes that has nothing to decide."""
    began = time.perf_counter()
    none = what_if(log.reader(), book.BOOK, [draft], from_ms, from_ms)
    assert none.commands == 0, "the transfers begin later"
    return time.perf_counter() - began


def contenders(size: Size) -> list[Contender]:
    """Deciding, and deciding again."""
    decided, same, dear, scored, ruled = NAMES
    plain = functools.partial(decide, size.events, "product-10k")
    with_rules = functools.partial(decide, size.events, "rules-10")
    return [
        Contender(decided, plain, "memory", BATCH),
        Contender(same, functools.partial(again, size.events, dearer=False), "memory", 0, (decided,)),
        Contender(dear, functools.partial(again, size.events, dearer=True), "memory", 0, (decided,)),
        Contender(scored, with_rules, "memory", BATCH),
        Contender(ruled, functools.partial(under_rules, size.events), "memory", 0, (scored,)),
    ]

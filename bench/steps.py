"""`steps`: what each step of the pipeline costs, in ns a command, on the real pipeline.

Each step is one function that the pipeline calls; while it is measured, a stopwatch stands in its place. What
a step calls in turn is taken off it, and so is what the stopwatch itself costs, measured on a function that
does nothing. `all else` is what remains of the whole turn: the pipeline's own lines, book time, the worker.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import commands.approvals
import commands.transfers
import engine.admission
import engine.pipeline
import engine.worker
from bench import decide
from bench.book import Contention
from bench.measure import Figure, Size
from engine.proof import Keyring

BATCH = 1_000
STEPS: tuple[tuple[str, Any, str], ...] = (
    ("decode", engine.admission, "decode_command"),
    ("proof", Keyring, "proves"),
    ("permission", engine.pipeline, "may"),
    ("fingerprint", engine.pipeline, "fingerprint"),
    ("policy", engine.pipeline, "under_policy"),
    ("decide", engine.pipeline, "decide"),
    ("decide", commands.approvals, "decide"),
    ("terms", commands.transfers, "terms_of"),
    ("evolve", engine.pipeline, "evolve"),
    ("encode", engine.pipeline, "encode"),
    ("link", engine.worker, "linked"),
)
"""Name, where it is looked up, and under which name. A command is decided by one of the two `decide`."""


class Watch:
    """Time spent in each step itself, without what the steps within it took."""

    def __init__(self) -> None:
        self.ns: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self._within = 0

    def over(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with a stopwatch. What is nested in it counts for itself."""
        clock, spent, calls = time.perf_counter_ns, self.ns, self.calls
        spent.setdefault(name, 0)
        calls.setdefault(name, 0)

        def watched(*args: Any, **kwargs: Any) -> Any:
            before, self._within = self._within, 0
            began = clock()
            try:
                return call(*args, **kwargs)
            finally:
                took = clock() - began
                spent[name] += took - self._within
                calls[name] += 1
                self._within = before + took

        return watched


@contextlib.contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """The steps with stopwatches, for as long as it lasts."""
    originals = [(place, name, getattr(place, name)) for _, place, name in STEPS]
    try:
        for (step, place, name), (*_, call) in zip(STEPS, originals, strict=True):
            setattr(place, name, watch.over(step, call))
        yield
    finally:
        for place, name, call in originals:
            setattr(place, name, call)


def overhead_ns() -> tuple[float, float]:
    """What a stopwatch adds: to the step that it measures, and to whatever calls that step."""
    watch, calls = Watch(), 200_000
    call = watch.over("nothing", _nothing)
    began = time.perf_counter_ns()
    for _ in range(calls):
        call(None)
    all_of_it = time.perf_counter_ns() - began
    began = time.perf_counter_ns()
    for _ in range(calls):
        _nothing(None)
    bare = time.perf_counter_ns() - began
    within = watch.ns["nothing"] / calls
    return within - bare / calls / 2, all_of_it / calls - within - bare / calls / 2


def _nothing(_: object) -> None:
    pass


def figures(contention: Contention, size: Size) -> list[Figure]:
    """The median cost of each step over the rounds."""
    found: dict[str, list[float]] = {}
    for number in range(size.rounds + 1):
        watch = Watch()
        within, around = overhead_ns()
        with watched(watch):
            sample = decide.turn(contention, BATCH, size.events)
        if number == 0:
            continue
        total = sample.seconds * 1e9 / sample.done
        for name, ns in watch.ns.items():
            share = watch.calls[name] / sample.done
            each = ns / sample.done - within * share - around * _nested(watch, name) / sample.done
            found.setdefault(name, []).append(each)
            total -= each + (within + around) * share
        found.setdefault("all else", []).append(total)
    return [
        Figure(workload=f"{contention}/{name}", log="none", batch=BATCH, ns=round(statistics.median(taken)))
        for name, taken in found.items()
    ]


def _nested(watch: Watch, name: str) -> int:
    """How many watched calls a step makes itself."""
    inner = {"policy": "decide", "decide": "terms"}.get(name, "")
    return watch.calls.get(inner, 0) if watch.calls[name] else 0

"""Histories by seed, one after another or beside each other, and what they met."""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.simulation.faults import Fault
from tests.simulation.proof import prove
from tests.simulation.site import Site
from tests.simulation.world import World

_MEMORY = Path("/dev/shm")


class History(msgspec.Struct):
    """What came of a seed. problem: what does not hold, and at which step; empty where all holds."""

    seed: int
    steps: int
    reached: dict[str, int]
    trace: list[str]
    problem: str = ""


def run(seed: int, make: Callable[[int, Path], Site] = Site) -> History:
    """One history, proven. make: another site, such as one with a bug in it."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        site = make(seed, Path(folder))
        world = site.world
        problem = ""
        try:
            site.run()
            prove(site)
        except Exception as error:  # noqa: BLE001 - whatever stops a history is what it found
            problem = f"step {world.steps}: {type(error).__name__}: {error}"
        reached = {fault.name: count for fault, count in world.reached.items()}
        return History(seed, world.steps, reached, [*world.trace, *_last_words(world, problem)], problem)


def _last_words(world: World, problem: str) -> list[str]:
    """The end of the trace, by which two runs of a seed are the same."""
    return [f"{world.steps} {world.now_ms} {problem or 'all holds'}"]


def run_for(seconds: float, first: int, stride: int = 1) -> Iterator[History]:
    """The histories of `first`, `first + stride`... until the time is over or one does not hold."""
    ends_at = time.monotonic() + seconds
    run(first)  # opens the books, which is no history's time
    seed = first
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        while time.monotonic() < ends_at:
            history = run(seed)
            yield history
            if history.problem:
                return
            seed += stride
            gc.collect(1)
    finally:
        gc.enable()


class Run(msgspec.Struct):
    """Many histories. histories: how many held.   broken: the first that did not, if any."""

    histories: int
    steps: int
    reached: Counter[str]
    broken: History | None = None

    def add(self, history: History) -> None:
        if history.problem:
            self.broken = self.broken or history
            return
        self.histories += 1
        self.steps += history.steps
        self.reached.update(history.reached)

    def never(self) -> list[Fault]:
        """The faults that were never reached."""
        return [fault for fault in Fault if not self.reached[fault.name]]


def run_beside(seconds: float, first: int, jobs: int) -> Run:
    """Histories in so many processes, each with every `jobs`-th seed from `first`."""
    told = Run(0, 0, Counter())
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs) as pool:
        for part in pool.starmap(_part, [(seconds, first + number, jobs) for number in range(jobs)]):
            told.histories += part.histories
            told.steps += part.steps
            told.reached += part.reached
            told.broken = told.broken or part.broken
    return told


def _part(seconds: float, first: int, stride: int) -> Run:
    told = Run(0, 0, Counter())
    for history in run_for(seconds, first, stride):
        told.add(history)
    return told

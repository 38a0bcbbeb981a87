"""The world of one history: chance, time, what happened so far, and the seams at which anything may happen.

Everything comes from one seeded source in one thread, so a seed is a history. Nothing here may ask the
machine for a time, a thread or a random number.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.simulation.faults import Fault

DIES = 0.012
STALLS = 0.05
DEEPEST = 2


class Killed(BaseException):
    """The process ended here. No `Exception`, so that no handler of ours survives it by accident."""


class Scheduled(Protocol):
    """What the scheduler lets work. name: for the trace."""

    name: str

    def step(self) -> int: ...


class World:
    """now_ms: the wall clock.   calm: nothing goes wrong any more.   steady: the clock is never set back."""

    def __init__(self, seed: int, began_ms: int, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.random = self.chance.random
        self.seed = seed
        self.folder = folder
        self.now_ms = began_ms
        self.skew_ms = 0
        self.calm = False
        self.steady = self.chance.random() < 0.5
        self.reached: Counter[Fault] = Counter()
        self.trace: list[str] = []
        self.steps = 0
        self.processes: Sequence[Scheduled] = ()
        self._inside: list[str] = []

    def clock(self) -> int:
        """What the machines' clocks show."""
        return self.now_ms + self.skew_ms

    def elapsed(self) -> float:
        """Seconds that only rise."""
        return self.now_ms / 1_000

    def meets(self, fault: Fault, rate: float) -> bool:
        """Whether it happens now."""
        if self.calm or self.random() >= rate:
            return False
        self.note(fault)
        return True

    def note(self, fault: Fault) -> None:
        """It happened."""
        self.reached[fault] += 1
        self.say(fault.name)

    def say(self, what: str) -> None:
        self.trace.append(f"{self.steps} {'/'.join(self._inside)} {what}")

    def seam(self, dies: Fault, rate: float = DIES) -> None:
        """A place between two steps of a process, which may die here or stand still while others work."""
        if self.calm:
            return
        drawn = self.random()
        if drawn < rate:
            self.note(dies)
            raise Killed
        if drawn < rate + STALLS and len(self._inside) < DEEPEST:
            self.note(Fault.STALLED)
            for _ in range(self.chance.randrange(1, 8)):
                self.let_one_work()

    def let_one_work(self) -> int:
        """A step of some process that is not in the middle of one."""
        process = self.chance.choice(self.processes)
        return 0 if process.name in self._inside else self.work(process)

    def work(self, process: Scheduled) -> int:
        """A step of this process."""
        self.steps += 1
        self._inside.append(process.name)
        try:
            done = process.step()
            if done:
                self.say(str(done))
            return done
        finally:
            self._inside.pop()

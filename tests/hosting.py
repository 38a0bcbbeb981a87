"""Engines and a host of reactors in one thread, where everything may crash: the setting of simulations.

A `Site` has one or several logs in memory, each with its worker, and sends a command to the log that has its
book. Time stands still unless the test moves it.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Sequence

from book.state import Book
from engine.errors import DaybookError, EngineStopped
from engine.genesis import begin
from engine.log.faults import Crash, Faults
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from engine.reactor import Host, Reactor
from engine.worker import Worker
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event
from tests.story import BEGAN_MS, ROOT


class Killed(BaseException):
    """The host's process ended here."""


class Partition:
    """A log and the engine over it, which is started again where it crashed."""

    def __init__(self, clock: Callable[[], int], faults: Faults) -> None:
        self._clock = clock
        self.log = MemoryLog(clock=clock)
        begin(self.log, [ROOT], clock())
        self.log = self.log.reopen(faults=faults)
        self.worker = self._recruit()
        self.crashes = 0

    def _recruit(self) -> Worker:
        worker = Worker(self.log, clock=self._clock, batch=3)
        worker._timers_asked = math.inf
        return worker

    def step(self) -> int:
        """Decide a few commands; a crash on the way loses what waits."""
        try:
            return self.worker.step()
        except (Crash, DaybookError):
            self.restart()
            return 1

    def restart(self) -> None:
        """The engine ends, and another takes over from what is stored."""
        self.crashes += 1
        while True:
            try:
                self.log = self.log.reopen()
                self.worker = self._recruit()
            except (Crash, DaybookError):
                continue
            return

    @property
    def books(self) -> dict[str, Book]:
        return self.worker.folded.partition.books

    def events(self) -> list[Event]:
        return [decode_event(record.value) for record in self.log.events(BEFORE_FIRST)]


class Site:
    """Partitions by the books they carry.

    At each submit of the host, `chance` may kill it before or after, deliver twice, out of order, or lose it.
    """

    def __init__(
        self, *carried: Sequence[str], faults: Sequence[Faults] = (), chance: random.Random | None = None
    ) -> None:
        self.now = BEGAN_MS
        self.partitions = [Partition(self.clock, one) for one in (faults or [Faults() for _ in carried])]
        self._partition_of = {
            book: one for one, books in zip(self.partitions, carried, strict=True) for book in books
        }
        self._chance = chance
        self.kills = 0

    def clock(self) -> int:
        return self.now

    def partition_of(self, book: str) -> Partition:
        return self._partition_of[book]

    def book(self, name: str) -> Book:
        return self._partition_of[name].books[name]

    def submit(self, outs: Sequence[Out]) -> None:
        """Send each command to its book's log."""
        for out in outs:
            one = self._partition_of.get(out.key.decode(), self.partitions[0])
            with contextlib.suppress(EngineStopped):
                one.log.submit([out])

    def tell(self, *commands: Command) -> list[Event]:
        """Have commands answered, whatever crashes; returns the first event of each outcome."""
        answers = []
        for command in commands:
            one = self._partition_of[command.book]
            answer: Event | None = None
            while answer is None:
                self.submit([Out(command.book.encode(), encode(command))])
                while one.step():
                    pass
                answer = next(
                    (
                        event
                        for event in one.events()
                        if (event.command, event.actor) == (command.id, command.actor)
                    ),
                    None,
                )
            answers.append(answer)
        return answers

    def host(self, reactor: Reactor) -> Host:
        """A host that begins with nothing."""
        return Host(reactor, [one.log.reader() for one in self.partitions], self._by_chance, clock=self.clock)

    def _by_chance(self, outs: Sequence[Out]) -> None:
        chance = self._chance
        if chance is None:
            self.submit(outs)
            return
        outs = list(outs)
        happens = chance.randrange(10)
        if happens == 0:
            raise Killed
        if happens == 1:
            raise EngineStopped("The engine was away.")
        if happens == 2:
            chance.shuffle(outs)
        if happens == 3:
            outs += outs
        self.submit(outs[: chance.randrange(len(outs))] if happens == 4 else outs)
        if happens in {4, 5}:
            raise Killed

    def run(self, fresh: Callable[[], Reactor], host: Host | None = None, steps: int = 1_000_000) -> Host:
        """Let host and engines work, in any order, until nothing is left to do or `steps` are over."""
        chance = self._chance or random.Random(0)
        host = host or self.host(fresh())
        idle = 0
        for _ in range(steps):
            try:
                done = sum(one.step() for one in chance.sample(self.partitions, len(self.partitions)))
                done += host.step()
            except Killed:
                self.kills += 1
                host = self.host(fresh())
                continue
            if done or host.waiting:
                idle = 0
                self.now += chance.choice((0, 1, 50, 2_000))
                continue
            # What a reactor puts off comes when its time has come.
            idle += 1
            if idle > 10:
                break
            self.now += 60_000
        return host

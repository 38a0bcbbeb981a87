"""A log as one process sees it: it may die at every call, commits go wrong, readers see late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.errors import Fenced
from engine.log import faults
from engine.log.memory import MemoryLog
from engine.log.records import Out, Record
from tests.simulation.faults import Fault
from tests.simulation.world import Killed, World

DIES_READING = 0.02
UNCERTAIN = 0.03


class SeenLog:
    """`BookLog` over a log in memory.   dies: how a death while reading is counted."""

    def __init__(self, world: World, log: MemoryLog, dies: Fault, *, late: bool = True) -> None:
        self.world = world
        self.log = log
        self._dies = dies
        self._late = late
        if late:
            log.show(log.page_count())

    def events(self, after: int) -> Iterator[Record]:
        world = self.world
        if world.calm:
            if self._late:
                self.log.show(self.log.page_count())
            return self.log.events(after)
        if self._late:
            behind = world.chance.randrange(1, 4) if world.meets(Fault.READER_LATE, 0.1) else 0
            self.log.show(max(self.log.page_count() - behind, 0))
        records = list(self.log.events(after))
        if records and world.meets(self._dies, DIES_READING):
            return _broken(records[: world.chance.randrange(len(records))])
        return iter(records)

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        return self.log.commands(after, limit, 0.0)

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        world = self.world
        world.seam(Fault.ENGINE_DIED_DECIDED)
        if world.meets(Fault.ACK_LOST, UNCERTAIN):
            self.log.faults.next_commit(faults.Fault.LOST_ACK)
        elif world.meets(Fault.COMMIT_LOST, UNCERTAIN):
            self.log.faults.next_commit(faults.Fault.NOT_STORED)
        try:
            self.log.commit(events, through, time_ms)
        except Fenced:
            world.note(Fault.ZOMBIE)
            raise
        world.seam(Fault.ENGINE_DIED_COMMITTED)

    def wake(self) -> None:
        self.log.wake()

    def close(self) -> None:
        self.log.close()


def _broken(records: Sequence[Record]) -> Iterator[Record]:
    yield from records
    raise Killed

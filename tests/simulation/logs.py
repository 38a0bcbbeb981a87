"""A log as one process sees it: it may die at every call, commits go wrong, readers see late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.derivation import in_memory
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
        self.place = log.place
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

    def begin_commit(self, events: Sequence[Out], through: int, time_ms: int) -> Callable[[], None]:
        second = self.log.begin_commit(events, through, time_ms)
        assert second is not None
        return lambda: self.commit(events, through, time_ms)

    def wake(self) -> None:
        self.log.wake()

    def close(self) -> None:
        self.log.close()


class SeenOutput:
    """The output of a derivation, claimed by one process. What is appended may get lost, or nobody told."""

    def __init__(self, world: World, log: MemoryLog) -> None:
        self.world = world
        self.log = log
        self._output = in_memory(log)

    def newest(self) -> Record | None:
        return self._output.newest()

    def append(self, outs: Sequence[Out], time_ms: int) -> None:
        world = self.world
        world.seam(Fault.PUBLISHER_DIED_DERIVED)
        if world.meets(Fault.PUBLISHER_ACK_LOST, UNCERTAIN):
            self.log.faults.next_commit(faults.Fault.LOST_ACK)
        elif world.meets(Fault.PUBLISHER_LOST, UNCERTAIN):
            self.log.faults.next_commit(faults.Fault.NOT_STORED)
        try:
            self._output.append(outs, time_ms)
        except Fenced:
            world.note(Fault.PUBLISHER_FENCED)
            raise
        world.seam(Fault.PUBLISHER_DIED_PUBLISHED)

    def close(self) -> None:
        self._output.close()


class Beside:
    """In place of a worker's thread for commits: each happens at once, or only when its end is waited for."""

    def __init__(self, world: World) -> None:
        self._world = world

    def submit(self, work: Callable[..., object], *given: object) -> Committing:
        one = Committing(lambda: work(*given))
        if self._world.chance.random() < 0.5:
            one.happen()
        return one


class Committing:
    """A commit under way. What ends its process ends it where it is waited for."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work: Callable[[], object] | None = work
        self._found: object = None
        self._failed: BaseException | None = None

    def happen(self) -> None:
        work, self._work = self._work, None
        assert work is not None, "a commit happens once"
        try:
            self._found = work()
        except Killed:
            raise
        except BaseException as error:  # noqa: BLE001 - kept for who waits
            self._failed = error

    def result(self) -> object:
        if self._work is not None:
            self.happen()
        if self._failed is not None:
            raise self._failed
        return self._found


def _broken(records: Sequence[Record]) -> Iterator[Record]:
    yield from records
    raise Killed

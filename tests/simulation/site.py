"""One history: a site of three books on two partitions, everything that runs there, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from book.digest import schema_digest
from book.state import Book
from engine.files import write_whole
from engine.fold import Folded
from engine.log.partitioning import partition_of
from engine.log.records import Out
from engine.snapshots import decode_snapshot
from schemas.access import ReinstateActor
from schemas.books import ConfirmClock
from tests.simulation.faults import Fault
from tests.simulation.money import is_conserved
from tests.simulation.opening import BEGAN_MS, BOOKS, HOUR_MS, PARTITION, PLACES, WAYS, opened
from tests.simulation.processes import Engine, Following, Partition, Projecting, Publishing, Relaying
from tests.simulation.rows import Rows
from tests.simulation.senders import Network, Senders
from tests.simulation.world import Scheduled, World

COMMANDS: Final = 200
KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LONGEST: Final = 20_000
"""Steps after which a history that does not come to rest never will."""


class Broken(AssertionError):
    """Something that must hold does not."""


class Site:
    """A history that has not begun. folder: an empty one of its own."""

    def __init__(self, seed: int, folder: Path, commands: int = COMMANDS) -> None:
        self.world = world = World(seed, BEGAN_MS, folder)
        self.way = world.chance.randrange(WAYS)
        begun = opened(self.way)
        self.partitions = [Partition(world, number, one.log(world.clock)) for number, one in enumerate(begun)]
        if world.chance.random() < 0.5:
            for one, partition in zip(begun, self.partitions, strict=True):
                place = partition.snapshots / schema_digest()[:16]
                place.mkdir(parents=True)
                write_whole(place / f"{one.events[-1].offset:020d}.snapshot", one.snapshot)
        self.network = Network(world, [one.log for one in self.partitions])
        self.senders = Senders(world, self.network, commands, self.way)
        self.rows = [Rows() for _ in self.partitions]
        self.folded = [_fold_of(one.snapshot) for one in begun]
        self.processes = tuple(self._processes())
        world.processes = [one for one in self.processes for _ in range(_share(one))]

    def _processes(self) -> Iterator[Scheduled]:

        yield self.senders
        yield self.network
        for partition, rows in zip(self.partitions, self.rows, strict=True):
            yield from (self.engine(partition, number) for number in range(2))
            yield self.follower(partition)
            yield from (self.publisher(partition, number) for number in range(2))
            yield from (self.projector(partition, number, rows) for number in range(2))
        self.relays = [self.relay(twin=twin) for twin in (False, True)]
        yield from self.relays

    # A mutant is a site with another one of these.

    def engine(self, partition: Partition, number: int) -> Engine:
        return Engine(self.world, partition, number)

    def follower(self, partition: Partition) -> Following:
        return Following(self.world, partition, KEY)

    def publisher(self, partition: Partition, number: int) -> Publishing:
        return Publishing(self.world, partition, number)

    def projector(self, partition: Partition, number: int, rows: Rows) -> Projecting:
        return Projecting(self.world, partition, number, rows)

    def relay(self, *, twin: bool) -> Relaying:
        return Relaying(self.world, self.partitions, self._submit, twin=twin)

    def _submit(self, out: Out) -> None:
        self.partitions[partition_of(out.key, len(PLACES))].log.submit([out])

    # --- the history --------------------------------------------------------------------------------------

    def run(self) -> None:
        """Let everything happen, then let everything come to rest. Raises Broken."""
        self._storm()
        self._rest()

    def _storm(self) -> None:
        world, chance = self.world, self.world.chance
        while self.senders.wait() or self.network.waits():
            world.let_one_work()
            self._time_goes_by()
            drawn = chance.random()
            if drawn < 0.02:
                partition = chance.choice(self.partitions)
                partition.owner = 1 - partition.owner
                world.note(Fault.TAKEOVER)
            elif drawn < 0.03:
                partition = chance.choice(self.partitions)
                partition.publisher = 1 - partition.publisher
                world.say("another publisher")
            elif drawn < 0.05:
                self.check_money()
            if world.steps > LONGEST:
                raise Broken("the history does not end")

    def _time_goes_by(self) -> None:
        world, chance = self.world, self.world.chance
        world.now_ms += chance.choice((0, 0, 1, 50, 2_000))
        drawn = chance.random()
        if drawn < 0.005:
            world.note(Fault.CLOCK_AHEAD)
            world.now_ms += chance.choice((1, 2, 30)) * HOUR_MS
        elif drawn < 0.015 and not world.steady:
            if world.skew_ms == 0:
                world.note(Fault.CLOCK_BACK)
            world.skew_ms = chance.choice((0, -5_000, -20_000))

    def _rest(self) -> None:
        """Nobody dies any more, the relay may work, and clocks are confirmed."""
        world = self.world
        world.calm = True
        world.say("calm")
        self.relays[1].body = None
        world.skew_ms = 0
        for book in BOOKS:
            self.senders.say(ConfirmClock, book, reason="in the end")
            self.senders.say(ReinstateActor, book, subject="relay", reason="in the end")
        idle = 0
        while idle < 12:
            done = sum(self._works_off(one) for one in self.processes)
            waiting = any(one.body is not None and one.body.waiting for one in self.relays)
            idle = 0 if done or waiting or self.network.waits() else idle + 1
            # What a relay puts off comes when its time has come.
            world.now_ms += 1 if done else 300_000
            if world.steps > LONGEST:
                raise Broken("the history does not come to rest")
        for one in self.processes:
            if isinstance(one, Following) and one.body is not None:
                one.body.finish()

    def _works_off(self, process: Scheduled) -> int:
        """All that the process finds to do, or a good part of it."""
        done = 0
        for _ in range(100):
            found = self.world.work(process)
            if not found:
                break
            done += found
        return done

    def fold(self) -> Mapping[str, Book]:
        """All books as the logs have them now."""
        for folded, partition in zip(self.folded, self.partitions, strict=True):
            folded.apply(partition.log.events(folded.offset))
        return {book: self.folded[number].partition.books[book] for book, number in PARTITION.items()}

    def check_money(self) -> None:
        """At any moment. Raises Broken."""
        problems = is_conserved(self.fold())
        if problems:
            raise Broken("; ".join(problems))


def _share(process: Scheduled) -> int:
    """How often it is its turn, among all."""
    return 4 if isinstance(process, Senders | Network) else 2 if isinstance(process, Engine) else 1


def _fold_of(snapshot: bytes) -> Folded:
    folded = decode_snapshot(snapshot)
    assert folded is not None, "a snapshot that was just made is whole"
    return folded

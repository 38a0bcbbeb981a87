"""The processes of a site, each the real thing behind seams. Which dies begins again from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine import derivation
from engine.errors import Fenced, Uncertain
from engine.follower import Follower
from engine.log.memory import MemoryLog
from engine.log.records import Out, Record
from engine.pipeline import Answer
from engine.publisher import Publisher
from engine.reactor import Host
from engine.receipts import LINKS_FILE, Receipt, Signer
from engine.snapshots import load_newest
from engine.worker import Worker
from gateway.relay import Relay
from projections.projector import Projector
from tests.simulation.faults import Fault
from tests.simulation.logs import Beside, SeenLog, SeenOutput
from tests.simulation.rows import Rows, Session, Waits
from tests.simulation.world import Killed, World

Body = TypeVar("Body")


class Process(Generic[Body]):
    """Begins when it is to work and does not run. body: None where it does not run."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.body: Body | None = None

    def begin(self) -> Body:
        raise NotImplementedError

    def work(self, body: Body) -> int:
        raise NotImplementedError

    def wanted(self) -> bool:
        """Whether it is to be begun where it does not run."""
        return True

    def step(self) -> int:
        try:
            if self.body is None:
                if not self.wanted():
                    return 0
                self.body = self.begin()
            return self.work(self.body)
        except (Killed, Fenced, Uncertain) as end:
            self.world.say(f"ended: {type(end).__name__}")
            self.body = None
            self.ended()
            return 1

    def ended(self) -> None:
        """What is left behind."""


class Partition:
    """The stored log of a partition and which of its engines is to have it. log: a reader."""

    def __init__(self, world: World, number: int, log: MemoryLog) -> None:
        self.number = number
        self.log = log
        self.owner = 0
        self.outcomes = MemoryLog(clock=world.clock, kept=True, control_records=True, writer=False)
        self.publisher = 0
        self.undecided: list[Out] = []
        """Where a planted bug shows what is not committed."""
        self.snapshots = world.folder / f"snapshots-{number}"
        self.receipts = world.folder / f"receipts-{number}"
        self.receipts.mkdir()
        self.told: list[tuple[int, Answer, int]] = []
        """What upstream was told: the offset of a command, its outcome, and where the log ended then."""

    def tell(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        end = self.log.last_event_offset()
        self.told += ((record.offset, answer, end) for record, answer in zip(records, answers, strict=True))


class Engine(Process[Worker]):
    """One of two engines that may be given the partition."""

    def __init__(self, world: World, partition: Partition, number: int) -> None:
        super().__init__(world, f"engine-{partition.number}-{number}")
        self.partition = partition
        self.number = number

    def wanted(self) -> bool:
        return self.partition.owner == self.number

    def seen(self) -> SeenLog:
        """The log, opened for writing: whoever had it open is fenced."""
        return SeenLog(self.world, self.partition.log.reopen(), Fault.ENGINE_DIED_RECOVERING, late=False)

    def begin(self) -> Worker:
        log = self.seen()
        chance = self.world.chance
        folded = load_newest(self.partition.snapshots, log) if chance.random() < 0.8 else None
        worker = Worker(
            log,
            folded,
            answered=self.partition.tell,
            clock=self.world.clock,
            elapsed=self.world.elapsed,
            batch=chance.choice((1, 2, 5, 12, 30)),
        )
        if chance.random() < 0.5:
            worker._overlapped, worker._beside = log, Beside(self.world)  # type: ignore[assignment]
        worker._timers_asked = self.world.elapsed() - 1.0
        return worker

    def work(self, body: Worker) -> int:
        return body.step()


class Signing(Signer):
    """A signer whose process may die when it has signed."""

    def __init__(self, world: World, key: Ed25519PrivateKey, partition: int) -> None:
        super().__init__(key, partition)
        self._world = world

    def sign(self, *told: Any) -> Receipt:
        receipt = super().sign(*told)
        self._world.seam(Fault.FOLLOWER_DIED_SIGNING, 0.03)
        return receipt


class Following(Process[Follower]):
    def __init__(self, world: World, partition: Partition, key: Ed25519PrivateKey) -> None:
        super().__init__(world, f"follower-{partition.number}")
        self.partition = partition
        self._signer = Signing(world, key, partition.number)

    def begin(self) -> Follower:
        log = SeenLog(self.world, self.partition.log.reader(), Fault.FOLLOWER_DIED_FOLDING)
        return Follower(
            log,
            self.partition.snapshots,
            self.partition.receipts,
            self._signer,
            snapshot_events=self.world.chance.choice((20, 60)),
            snapshot_s=1e9,
            sign_s=self.world.chance.choice((0.0, 1e9, 1e9)),
            clock=self.world.clock,
        )

    def work(self, body: Follower) -> int:
        return body.step()

    def ended(self) -> None:
        """What a disk may make of the files of a process that died."""
        files = sorted(self.partition.snapshots.glob("*/*.snapshot"))
        if files and self.world.meets(Fault.SNAPSHOT_DAMAGED, 0.4):
            content = files[-1].read_bytes()
            files[-1].write_bytes(content[: self.world.chance.randrange(len(content))])
        links = self.partition.receipts / LINKS_FILE
        if links.exists() and self.world.meets(Fault.RECEIPT_TORN, 0.4):
            with links.open("ab") as stream:
                stream.write(b'{"receipt":1,"part')


class Projecting(Process[Projector]):
    """One of two projectors of a partition, which share the rows."""

    def __init__(self, world: World, partition: Partition, number: int, rows: Rows) -> None:
        super().__init__(world, f"projector-{partition.number}-{number}")
        self.partition = partition
        self.rows = rows

    def begin(self) -> Projector:
        log = SeenLog(self.world, self.partition.log.reader(), Fault.PROJECTOR_DIED_READING)
        return Projector(Session(self.world, self.rows), log, self.partition.number)

    def work(self, body: Projector) -> int:
        try:
            return body.step(self.world.chance.choice((3, 20, 60, 200)))
        except Waits:
            return 0


class Publishing(Process[derivation.Host]):
    """One of two publishers that may be given the partition."""

    def __init__(self, world: World, partition: Partition, number: int) -> None:
        super().__init__(world, f"publisher-{partition.number}-{number}")
        self.partition = partition
        self.number = number

    def wanted(self) -> bool:
        return self.partition.publisher == self.number

    def begin(self) -> derivation.Host:
        output = SeenOutput(self.world, self.partition.outcomes.reopen())
        at_once = self.world.chance.choice((1, 10, 1_000))
        return derivation.Host(Publisher(), self.events(), output, at_once=at_once)

    def events(self) -> SeenLog:
        return SeenLog(self.world, self.partition.log.reader(), Fault.PUBLISHER_DIED_READING)

    def work(self, body: derivation.Host) -> int:
        return body.step()


class Relaying(Process[Host]):
    """A relay, or its twin, which is there now and then."""

    def __init__(
        self, world: World, partitions: Sequence[Partition], submit: Callable[[Out], object], *, twin: bool
    ) -> None:
        super().__init__(world, "twin" if twin else "relay")
        self._partitions = partitions
        self._submit = submit
        self._twin = twin

    def wanted(self) -> bool:
        return not self._twin or self.world.meets(Fault.RELAY_TWIN, 0.02)

    def begin(self) -> Host:
        logs = [SeenLog(self.world, one.log.reader(), Fault.RELAY_DIED_READING) for one in self._partitions]
        return Host(Relay(), logs, self._send, clock=self.world.clock)

    def work(self, body: Host) -> int:
        return body.step()

    def _send(self, told: Sequence[Out]) -> None:
        world = self.world
        world.seam(Fault.RELAY_DIED_SENDING, 0.05)
        outs = list(told)
        if world.meets(Fault.RELAY_LOST, 0.05):
            return
        if len(outs) > 1 and world.meets(Fault.RELAY_SHUFFLED, 0.2):
            world.chance.shuffle(outs)
        if world.meets(Fault.RELAY_TWICE, 0.05):
            outs += outs
        dies = world.meets(Fault.RELAY_DIED_SENT, 0.05)
        for out in outs[: world.chance.randrange(len(outs))] if dies else outs:
            self._submit(out)
        if dies:
            raise Killed

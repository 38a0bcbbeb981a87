"""The simulation finds what it is for: each of these plants one bug, and a history breaks before long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from book.state import Book
from engine import derivation
from engine.errors import DaybookError, Fenced, Uncertain
from engine.follower import Follower
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.reactor import Host
from engine.worker import Worker
from gateway.relay import Relay
from projections.position import Position
from projections.projector import Projector
from schemas.message import Command
from tests.simulation.faults import Fault
from tests.simulation.logs import SeenLog
from tests.simulation.processes import Engine, Following, Partition, Projecting, Publishing, Relaying
from tests.simulation.rows import Rows, Session
from tests.simulation.running import run
from tests.simulation.site import KEY, Site

WITHIN = 200
"""Histories in which a bug must be found. What is planted here is found in the first few."""


# --- engines ------------------------------------------------------------------------------------------


class PositionFirst(Engine):
    """Where it goes on is written down before the commit, instead of being found in the events."""

    noted = -1

    def seen(self) -> SeenLog:
        engine, log = self, super().seen()

        class Noting(SeenLog):
            def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
                engine.noted = max(engine.noted, through)
                super().commit(events, through, time_ms)

        return Noting(self.world, log.log, Fault.ENGINE_DIED_RECOVERING, late=False)

    def begin(self) -> Worker:
        worker = super().begin()
        worker.position = max(worker.position, self.noted)
        return worker


class TakenForGranted(Engine):
    """A commit of which nobody knows is taken to have happened."""

    def seen(self) -> SeenLog:
        log = super().seen()

        class Trusting(SeenLog):
            def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
                try:
                    super().commit(events, through, time_ms)
                except Uncertain:
                    self.log._over = None

        return Trusting(self.world, log.log, Fault.ENGINE_DIED_RECOVERING, late=False)


class ToldFirst(Engine):
    """Upstream is told what was decided before it is durable."""

    def begin(self) -> Worker:
        worker = super().begin()
        commit, answered = worker._commit, worker.answered
        assert answered is not None

        def hasty(records: Sequence[object]) -> None:
            answered(records, worker.pipeline.answers)  # type: ignore[arg-type]
            commit(records)  # type: ignore[arg-type]

        worker._commit = hasty  # type: ignore[method-assign]
        return worker


class Unfenced(Engine):
    """Whoever has the log open may write, whoever opened it since."""

    def seen(self) -> SeenLog:
        log = super().seen()

        class Open(SeenLog):
            def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
                self.log._term = self.log._stored.term
                super().commit(events, through, time_ms)

        return Open(self.world, log.log, Fault.ENGINE_DIED_RECOVERING, late=False)


class KeepsItsState(Engine):
    """After a commit of which nobody knows the log is opened again, and the state goes on as it was."""

    def work(self, body: Worker) -> int:
        try:
            return super().work(body)
        except Fenced:
            raise
        except DaybookError:
            body.log = self.seen()
            body._overlapped = None
            body._committing = None
            return 1


# --- the others ---------------------------------------------------------------------------------------


class Unguarded(Session):
    """The position is moved wherever it stands."""

    def move(self, partition: int, expected: int, to: Position) -> bool:
        return super().move(partition, self.rows.positions[partition].offset, to)


class MovedAlone(Session):
    """The position is moved in a transaction of its own, before the changes."""

    def move(self, partition: int, expected: int, to: Position) -> bool:
        moved = super().move(partition, expected, to)
        if moved:
            self.rows.positions[partition] = to
        return moved


class PublishesEarly(Publishing):
    """Reads what the engine has decided before that is committed."""

    def events(self) -> SeenLog:
        partition, log = self.partition, super().events()

        class Uncommitted(SeenLog):
            def events(self, after: int) -> Iterator[Record]:
                yield from super().events(after)
                first = self.log.last_event_offset() + 2
                for number, out in enumerate(partition.undecided):
                    yield Record(out.key, out.value, first + number, self.world.now_ms, out.headers)

        return Uncommitted(self.world, log.log, Fault.PUBLISHER_DIED_READING)


class Leaking(Engine):
    """Its open transaction can be read."""

    def seen(self) -> SeenLog:
        partition, log = self.partition, super().seen()

        class Leaky(SeenLog):
            def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
                partition.undecided = list(events)
                try:
                    super().commit(events, through, time_ms)
                finally:
                    partition.undecided = []

        return Leaky(self.world, log.log, Fault.ENGINE_DIED_RECOVERING, late=False)


class EarlySite(Site):
    def engine(self, partition: Partition, number: int) -> Engine:
        return Leaking(self.world, partition, number)

    def publisher(self, partition: Partition, number: int) -> Publishing:
        return PublishesEarly(self.world, partition, number)


class NotesItsPosition(Publishing):
    """How far it is stands in a place of its own, written when the outcomes are durable."""

    noted = BEFORE_FIRST

    def begin(self) -> derivation.Host:
        host = super().begin()
        host._read = host.position = self.noted
        return host

    def work(self, body: derivation.Host) -> int:
        done = super().work(body)
        self.noted = body.position
        return done


class NotingSite(Site):
    def publisher(self, partition: Partition, number: int) -> Publishing:
        return NotesItsPosition(self.world, partition, number)


class Forgetful(Relay):
    """After a start it does not ask what the books still have it owe."""

    def owed(self, book: Book) -> Sequence[Command]:
        return ()


class TrustsItsReader(Following):
    """The state is said to go a page further than it does."""

    def begin(self) -> Follower:
        follower = super().begin()
        write = follower._write_snapshot

        def ahead() -> None:
            before = follower.folded.offset
            after = next((one.offset for one in self.partition.log.events(before) if one.headers), before)
            follower.folded.offset = after
            write()
            follower.folded.offset = before

        follower._write_snapshot = ahead  # type: ignore[method-assign]
        return follower


def with_engine(kind: type[Engine]) -> type[Site]:
    class Mutant(Site):
        def engine(self, partition: Partition, number: int) -> Engine:
            return kind(self.world, partition, number)

    return Mutant


def with_store(kind: type[Session]) -> type[Site]:
    class Writing(Projecting):
        def begin(self) -> Projector:
            log = SeenLog(self.world, self.partition.log.reader(), Fault.PROJECTOR_DIED_READING)
            return Projector(kind(self.world, self.rows), log, self.partition.number)

    class Mutant(Site):
        def projector(self, partition: Partition, number: int, rows: Rows) -> Projecting:
            return Writing(self.world, partition, number, rows)

    return Mutant


class ForgetfulSite(Site):
    def relay(self, *, twin: bool) -> Relaying:
        class Forgetting(Relaying):
            def begin(self) -> Host:
                host = super().begin()
                host.reactor = Forgetful()
                host._asked.clear()
                return host

        return Forgetting(self.world, self.partitions, self._submit, twin=twin)


class AheadSite(Site):
    def follower(self, partition: Partition) -> Following:
        return TrustsItsReader(self.world, partition, KEY)


MUTANTS: dict[str, Callable[[int, Path], Site]] = {
    "position moved before the commit": with_engine(PositionFirst),
    "acknowledgement taken for granted": with_engine(TakenForGranted),
    "told before the commit": with_engine(ToldFirst),
    "no fence": with_engine(Unfenced),
    "state kept after an uncertain commit": with_engine(KeepsItsState),
    "projector without guard": with_store(Unguarded),
    "position moved in a transaction of its own": with_store(MovedAlone),
    "published before the commit": EarlySite,
    "publisher's position kept beside its output": NotingSite,
    "relay that forgets": ForgetfulSite,
    "snapshot that says it goes further": AheadSite,
}


SLOW = {"snapshot that says it goes further", "published before the commit"}
"""Found by one history in some dozen."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in MUTANTS]
)
def test_a_planted_bug_is_found(name: str) -> None:
    found = next((one for one in (run(seed, MUTANTS[name]) for seed in range(WITHIN)) if one.problem), None)
    assert found is not None, f"{WITHIN} histories did not find it"
    assert run(found.seed, MUTANTS[name]).trace == found.trace, "a history that breaks replays too"
    assert not run(found.seed).problem, "and holds without the bug"

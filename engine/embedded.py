"""The engine of a home: in this process, behind the socket of `daybook up`, or behind Kafka.

`connect` gives the same `Connection` every time, so that nobody who submits has to know which it is.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from book.digest import book_digest, joint_digest, partition_digest
from book.state import Book
from engine.admission import Admission
from engine.client import EngineClient
from engine.errors import EngineUnreachable, LogLocked, OutcomeUnknown, Uncertain
from engine.fold import Folded
from engine.home import LOCAL_KEY, Home, NoHome
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.pipeline import Answer
from engine.proof import Key, proof
from engine.settings import Settings
from engine.site import OpenLog, Site
from engine.snapshots import load_newest
from engine.worker import Worker

AT_ONCE = 8_000
PATIENCE_S = 5.0
Submit = Callable[[Sequence[Out]], Sequence[Answer]]


class Submits(Protocol):
    """Whatever commands can be sent to."""

    def submit(self, outs: Sequence[Out]) -> Sequence[Answer]:
        """Each command's outcome, in order: the events as stored."""
        ...


class InProcess:
    """A worker in this process, for a log that nobody else writes."""

    def __init__(
        self,
        log: OpenLog | MemoryLog,
        *,
        admission: Admission | None = None,
        folded: Folded | None = None,
        batch: int | None = None,
    ) -> None:
        self._log = log
        self._answers: list[Answer] = []
        self.worker = Worker(log, folded, admission=admission, answered=self._answered, batch=batch)

    def book(self, name: str) -> Book:
        """The book as it is."""
        return self.worker.folded.partition.books[name]

    def submit(self, outs: Sequence[Out]) -> list[Answer]:
        """Decide the commands and give their outcomes, durable when this returns."""
        answers: list[Answer] = []
        for start in range(0, len(outs), AT_ONCE):
            part = outs[start : start + AT_ONCE]
            self._answers = []
            self._log.submit(part)
            try:
                while len(self._answers) < len(part):
                    self.worker.step()
            except Uncertain as error:
                raise OutcomeUnknown(error.what) from error
            answers += self._answers
        return answers

    def step(self) -> list[Answer]:
        """Decide what somebody else has put into the log, a batch of it at most; its outcomes, durable."""
        self._answers = []
        self.worker.step()
        self.worker.settle()
        return self._answers

    def _answered(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        self._answers += answers


class Connection:
    """Commands in, outcomes out. live: whether a `daybook up` answers, so that the read models follow."""

    def __init__(self, submit: Submit, key_id: str, key: Key, *, live: bool) -> None:
        self._submit = submit
        self._key_id = key_id
        self._key = key
        self.live = live

    def submit(self, outs: Sequence[Out]) -> Sequence[Answer]:
        """Prove and send the commands; returns their outcomes. Raises OutcomeUnknown where one got lost."""
        return self._submit(
            [Out(out.key, out.value, proof(self._key_id, self._key, out.value)) for out in outs]
        )


@contextlib.contextmanager
def connect(
    home: Home, settings: Settings, identity: tuple[str, Key] | None = None, *, founding: bool = False
) -> Iterator[Connection]:
    """The engine of a home: the running one where there is one, else one in this process while this lasts.

    identity: the id and key that the commands are signed with; the home's own where none is given.
    founding: on Kafka, whether it may be one in this process, where none runs. Only who has just made the
        site may: elsewhere it would fence the engines of another machine that are starting.
    """
    keyring = home.keyring()
    key = keyring.keys.get(LOCAL_KEY)
    if key is None:
        raise NoHome(
            f"{home.keyring_file} has no key {LOCAL_KEY!r}, which the command line signs with.",
            "Restore it from a backup.",
        )
    signed_by, key = identity or (LOCAL_KEY, key)
    site = Site(home, settings)
    if site.kind == "kafka":
        with _over_kafka(site, founding) as (submit, live):
            yield Connection(submit, signed_by, key, live=live)
        return
    deadline = time.monotonic() + PATIENCE_S
    while True:
        client = EngineClient(home.socket)
        if client.answers():
            with contextlib.closing(client):
                yield Connection(client.submit, signed_by, key, live=True)
            return
        log = _unlocked(site, deadline)
        if log is not None:
            break
        time.sleep(0.1)
    with log:
        engine = InProcess(log, admission=Admission(keyring), folded=load_newest(site.snapshots(), log))
        yield Connection(engine.submit, signed_by, key, live=False)


def _unlocked(site: Site, deadline: float) -> OpenLog | None:
    """The log for writing; None, until the deadline, while it is another's: an engine's that will listen
    soon, or a `submit`'s that will end soon.
    """
    try:
        return site.write()
    except LogLocked:
        if time.monotonic() > deadline:
            raise
        return None


@contextlib.contextmanager
def _over_kafka(site: Site, founding: bool) -> Iterator[tuple[Submit, bool]]:
    """What commands are sent to, and whether engines of the group decide them.

    Raises EngineUnreachable where nobody would.
    """
    from engine.kafka_client import KafkaClient  # noqa: PLC0415 - the client, for whom it concerns
    from engine.kafka_engines import Engines  # noqa: PLC0415 - as above

    deadline = time.monotonic() + (0 if founding else PATIENCE_S)
    engines = Engines(site.kafka)
    while engines.members() == 0:
        if time.monotonic() < deadline:
            time.sleep(0.2)
            continue
        if not founding:
            raise EngineUnreachable(
                f"No engine is a member of the group {engines.group} at {site.kafka.bootstrap}; "
                "nothing was sent."
            )
        with contextlib.ExitStack() as stack:
            yield EachPartition(site, stack, lambda: Admission(site.home.keyring())).submit, False
        return
    with KafkaClient(site.kafka) as client:
        yield client.submit, True


@contextlib.contextmanager
def sending(site: Site) -> Iterator[Callable[[Sequence[Out]], object]]:
    """Where who follows the events sends commands that are proved already. Behind a socket the outcomes are
    waited for; on Kafka it is done when the commands are stored, so that a partition whose engine is away
    holds up no other.
    """
    if site.kind == "kafka":
        from engine.log.kafka import KafkaCommands  # noqa: PLC0415 - the client, for whom it concerns

        yield KafkaCommands(site.kafka).submit
        return
    with contextlib.closing(EngineClient(site.home.socket)) as client:
        yield client.submit


class EachPartition:
    """Engines in this process for the partitions of what is sent. For who is alone on the cluster: opening a
    partition fences whoever writes it. stack: until when they live.   admission: made for each of them.
    """

    def __init__(
        self, site: Site, stack: contextlib.ExitStack, admission: Callable[[], Admission] = Admission
    ) -> None:
        self._site = site
        self._stack = stack
        self._admission = admission
        self._engines: dict[int, InProcess] = {}

    def submit(self, outs: Sequence[Out]) -> list[Answer]:
        """Each command's outcome, in their order; those of a partition are decided together."""
        parts: dict[int, list[int]] = {}
        for index, out in enumerate(outs):
            parts.setdefault(self._site.partition_of(out.key), []).append(index)
        answers: list[Answer] = [()] * len(outs)
        for partition, indexes in parts.items():
            decided = self._engine(partition).submit([outs[index] for index in indexes])
            for index, answer in zip(indexes, decided, strict=True):
                answers[index] = answer
        return answers

    def step(self) -> list[Answer]:
        """Decide what others have sent to the partitions that are open; see `InProcess.step`."""
        return [answer for engine in self._engines.values() for answer in engine.step()]

    def book(self, name: str) -> Book:
        """The book as it is."""
        return self._engine(self._site.partition_of(name)).worker.folded.partition.books[name]

    def _engine(self, partition: int) -> InProcess:
        found = self._engines.get(partition)
        if found is None:
            log = self._stack.enter_context(self._site.write(partition))
            found = InProcess(log, admission=self._admission())
            self._engines[partition] = found
        return found


def digest_of(log: OpenLog | MemoryLog) -> str:
    """The digest of the state that the log folds to."""
    folded = Folded()
    folded.apply(log.events(BEFORE_FIRST))
    return partition_digest(folded.partition)


def site_digest(site: Site) -> str:
    """The digest of the books of all partitions."""
    digests: dict[str, str] = {}
    for _, log in site.readers():
        folded = Folded()
        folded.apply(log.events(BEFORE_FIRST))
        digests |= {name: book_digest(book) for name, book in folded.partition.books.items()}
    return joint_digest(digests)

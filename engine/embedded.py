"""The embedded engine: one home, one log, one worker, in this process or behind the socket of `daybook up`.

`connect` gives the same `Connection` either way, so that nobody who submits has to know which it is.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from book.digest import partition_digest
from engine.admission import Admission
from engine.client import EngineClient
from engine.errors import LogLocked, NotInitialised, OutcomeUnknown, Uncertain
from engine.fold import Folded
from engine.home import LOCAL_KEY, Home, NoHome
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, Clock, Out, Record, wall_clock
from engine.pipeline import Answer
from engine.proof import Key, proof
from engine.settings import Settings
from engine.snapshots import load_newest
from engine.worker import Worker

AT_ONCE = 8_000
PATIENCE_S = 5.0
Submit = Callable[[Sequence[Out]], Sequence[Answer]]


def _log_url(home: Home, settings: Settings) -> str | None:
    """Where the log is, if it is not the file in the home."""
    return settings.log_url if home.read().log == "postgres" else None


def open_log(home: Home, settings: Settings, *, writer: bool, clock: Clock = wall_clock) -> RecorderLog:
    """The home's log, for its one writer or for a reader."""
    url = _log_url(home, settings)
    if url is not None:
        return RecorderLog.postgres(url, writer=writer, clock=clock)
    if home.read().log == "postgres":
        raise NotInitialised(f"The log of {home} is in PostgreSQL.", "Set DAYBOOK_LOG_URL to where it is.")
    if not writer and not home.log.exists():
        raise NotInitialised(f"There is no log in {home}.")
    return RecorderLog.sqlite(home.log, writer=writer, clock=clock)


class Submits(Protocol):
    """Whatever commands can be sent to."""

    def submit(self, outs: Sequence[Out]) -> Sequence[Answer]:
        """Each command's outcome, in order: the events as stored."""
        ...


class InProcess:
    """A worker in this process, for a log that nobody else writes."""

    def __init__(
        self,
        log: RecorderLog | MemoryLog,
        *,
        admission: Admission | None = None,
        folded: Folded | None = None,
        batch: int | None = None,
    ) -> None:
        self._log = log
        self._answers: list[Answer] = []
        self.worker = Worker(log, folded, admission=admission, answered=self._answered, batch=batch)

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
def connect(home: Home, settings: Settings, identity: tuple[str, Key] | None = None) -> Iterator[Connection]:
    """The engine of a home: the running one where there is one, else one in this process while this lasts.

    identity: the id and key that the commands are signed with; the home's own where none is given.
    """
    keyring = home.keyring()
    key = keyring.keys.get(LOCAL_KEY)
    if key is None:
        raise NoHome(
            f"{home.keyring_file} has no key {LOCAL_KEY!r}, which the command line signs with.",
            "Restore it from a backup.",
        )
    signed_by, key = identity or (LOCAL_KEY, key)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        client = EngineClient(home.socket)
        if client.answers():
            with contextlib.closing(client):
                yield Connection(client.submit, signed_by, key, live=True)
            return
        log = _unlocked(home, settings, deadline)
        if log is not None:
            break
        time.sleep(0.1)
    with log:
        engine = InProcess(log, admission=Admission(keyring), folded=load_newest(home.snapshots, log))
        yield Connection(engine.submit, signed_by, key, live=False)


def _unlocked(home: Home, settings: Settings, deadline: float) -> RecorderLog | None:
    """The log for writing; None, until the deadline, while it is another's: an engine's that will listen
    soon, or a `submit`'s that will end soon.
    """
    try:
        return open_log(home, settings, writer=True)
    except LogLocked:
        if time.monotonic() > deadline:
            raise
        return None


def digest_of(log: RecorderLog | MemoryLog) -> str:
    """The digest of the state that the log folds to."""
    folded = Folded()
    folded.apply(log.events(BEFORE_FIRST))
    return partition_digest(folded.partition)

"""What follows the log, on one stored SQLite log of uniform transfers: the fold, the proof, the read models.

`replay` folds it into the state, `verify` checks all history, `project-live` keeps the read models up with it
in batches as they come, `project-rebuild` builds them anew beside the live ones. All read models are there.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from bench import book
from bench.measure import Contender, Sample, Size
from engine.admission import Admission
from engine.fold import Folded
from engine.log.recorder import RecorderLog
from engine.log.records import wall_clock
from engine.worker import Worker
from projections.database import open_database
from projections.projector import Projector
from projections.rebuild import rebuild
from replay.verify import verify

NAMES = ("replay", "verify", "project-live", "project-rebuild")
PAGE = 1_000
LIVE_BATCH = 1_000
"""Events in a transaction of the projector while it keeps up with an engine that is busy."""


def stored(file: Path, transfers: int) -> RecorderLog:
    """A log with so many transfers, in pages of a thousand, open for reading."""
    with contextlib.closing(RecorderLog.sqlite(file)) as log:
        book.founded(log)
        worker = Worker(log, admission=Admission(book.KEYRING), batch=PAGE)
        outs = book.transfers("uniform-10k", transfers, 1, wall_clock())
        for start in range(0, transfers, PAGE):
            log.submit(outs[start : start + PAGE])
            while worker.step():
                pass
    return RecorderLog.sqlite(file, writer=False)


def replay(log: RecorderLog) -> Sample:
    """Fold all events from nothing, as an engine does when it starts without a snapshot."""
    folded = Folded()
    began = time.perf_counter()
    folded.apply(log.events(-1))
    return Sample(folded.offset + 1, time.perf_counter() - began)


def verified(log: RecorderLog) -> Sample:
    """Verify all events."""
    began = time.perf_counter()
    found = verify(log)
    took = time.perf_counter() - began
    assert found.ok, found.problems
    return Sample(found.events, took)


class Live:
    """A projector that keeps up: each turn it takes the next part of the log."""

    def __init__(self, log: RecorderLog, dsn: str, events: int) -> None:
        self._projector = Projector(dsn, log)
        self._events = events

    def turn(self) -> Sample:
        """Project the next part, batch by batch."""
        done = 0
        latencies: list[float] = []
        began = now = time.perf_counter()
        while done < self._events and (applied := self._projector.step(LIVE_BATCH)):
            done += applied
            then, now = now, time.perf_counter()
            latencies.append(now - then)
        assert done > 0, "there is a part of the log for each turn"
        return Sample(done, now - began, latencies)

    def close(self) -> None:
        self._projector.close()


def rebuilt(log: RecorderLog, dsn: str) -> Sample:
    """Build all read models anew, compare them with the live ones, and swap."""
    began = time.perf_counter()
    found = rebuild(dsn, log)
    took = time.perf_counter() - began
    assert found.compared, "there were live tables"
    assert found.identical, f"{found.tables}"
    return Sample(found.events, took)


def contenders(
    names: Sequence[str], size: Size, folder: Path, stack: contextlib.ExitStack
) -> list[Contender]:
    """Those of `NAMES` that are asked for."""
    # So many that each turn of `project-live`, the one for warming up too, has a part of its own.
    part = size.events // 2
    log = stack.enter_context(contextlib.closing(stored(folder / "stored.sqlite", part * (size.rounds + 1))))
    found = []
    if "replay" in names:
        found.append(Contender("replay", functools.partial(replay, log), "sqlite", PAGE))
    if "verify" in names:
        found.append(Contender("verify", functools.partial(verified, log), "sqlite", PAGE))
    if not {"project-live", "project-rebuild"} & set(names):
        return found
    server = stack.enter_context(open_database(folder / "read-models", None)).dsn
    if "project-live" in names:
        live = stack.enter_context(contextlib.closing(Live(log, _database(server, "live"), part)))
        found.append(Contender("project-live", live.turn, "sqlite", LIVE_BATCH))
    if "project-rebuild" in names:
        dsn = _database(server, "rebuilt")
        with contextlib.closing(Projector(dsn, log)) as projector:
            projector.catch_up()
        found.append(Contender("project-rebuild", functools.partial(rebuilt, log, dsn), "sqlite"))
    return found


def _database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
    return make_conninfo(server, dbname=name)

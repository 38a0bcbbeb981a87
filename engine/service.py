"""The engine as a process of its own: the log's one writer, behind a Unix socket."""

from __future__ import annotations

import contextlib
import time
from threading import Event

from engine import operating
from engine.backlog import Backlog
from engine.errors import LogLocked
from engine.home import Home
from engine.live_keys import LiveKeys
from engine.log.recorder import RecorderLog
from engine.settings import Settings
from engine.site import Site
from engine.snapshots import load_newest
from engine.socket import EngineServer
from engine.supervisor import until_told
from engine.worker import Worker

PATIENCE_S = 10.0


def serve(home: Home, settings: Settings) -> None:
    """Decide what comes over the socket until told to stop.

    `Uncertain` and `Fenced` leave through here: the process ends, and whoever starts it again recovers from
    the log.
    """
    told, then = until_told()
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(_open_log(home, settings, told))
        server = EngineServer(home.socket, log)
        keys = LiveKeys(home)
        metrics = operating.metrics()
        worker = Worker(
            log,
            load_newest(Site(home, settings).snapshots(), log),
            admission=keys.admission(),
            answered=lambda records, answers: server.answered(records[0].offset, answers),
            backlog=Backlog(log, settings.backlog_s, settings.backlog_commands),
            observer=None if metrics is None else metrics.worker(0, log),
        )
        stack.enter_context(server)
        then(log.wake)

        def stopping() -> bool:
            worker.pipeline.admission = keys.admission()  # a new credential counts at once
            return told.is_set()

        worker.run(stopping)


def _open_log(home: Home, settings: Settings, told: Event) -> RecorderLog:
    """The log, as soon as whoever writes it just now has ended: a `submit`, or the engine before us."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return Site(home, settings).recorder(writer=True)
        except LogLocked:
            if time.monotonic() > deadline or told.wait(0.1):
                raise

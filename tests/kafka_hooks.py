"""`python -m tests.kafka_hooks HOOK...`: `daybook run engine`, made to misbehave at the transfer with the id
of the hook: `hang` never ends deciding it, `sleep-long` stops the whole process in the middle of its batch,
`damage` fails to evolve it. `next-release` is the engine of a release that decides differently.
"""

import os
import signal
import sys
import time
from collections.abc import Callable

import commands.decide
import engine.owner
import engine.worker
from book.evolve import EVOLVE
from book.state import Book
from commands.decide import DECIDE
from commands.decision import Decision
from console import ending, processes
from console.start import in_home, settings_for
from engine import operating
from schemas.message import Command, Event
from schemas.transfers import Transfer, TransferPosted


def _at(id: str, act: Callable[[], None]) -> None:
    """Have something happen while the transfer of that id is decided."""
    decide = DECIDE[Transfer]

    def hooked(book: Book, command: Command, at_ms: int) -> Decision:
        if command.id == id:
            act()
        return decide(book, command, at_ms)

    DECIDE[Transfer] = hooked


def hang() -> None:
    """A worker that gets nowhere, while the process goes on saying that it lives."""

    def never() -> None:
        while True:
            time.sleep(1)

    _at("hang", never)


def sleep_long() -> None:
    """A process that is stopped and goes on later, with a batch in its hands."""
    _at("sleep-long", lambda: os.kill(os.getpid(), signal.SIGSTOP))


def damage() -> None:
    """A bug in evolve."""
    evolve = EVOLVE[TransferPosted]

    def hooked(book: Book, event: Event) -> None:
        if event.command == "damage":
            raise KeyError("damage")
        evolve(book, event)

    EVOLVE[TransferPosted] = hooked


def next_release() -> None:
    """Another release of deciding."""
    newer = commands.decide.RELEASE + 1
    engine.worker.RELEASE = engine.owner.RELEASE = newer  # type: ignore[attr-defined]


HOOKS = {"hang": hang, "sleep-long": sleep_long, "damage": damage, "next-release": next_release}

if __name__ == "__main__":
    operating.begin("engine", settings_for(None))
    for name in sys.argv[1:]:
        HOOKS[name]()
    sys.exit(ending.run(lambda: in_home(processes.run_engine, False, None), json=False))

"""`daybook up`: starts the processes of a site, restarts the ones that die, and ends them in order.

The processes are our own subcommands. Each one reads its standard input and stops when it ends, so that none
of them outlives a supervisor that was killed.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

FEW_RESTARTS = 5
WITHIN_S = 60.0
STOP_S = 15.0
MOST_WAIT_S = 15.0
WRONG_USE = 2


class Child(msgspec.Struct):
    """A process to keep alive. command: the subcommand and its arguments.   env: on top of our own.

    essential: whether the site ends where it cannot be kept alive; the others are tried for ever.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = {}
    essential: bool = False
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = []
    start_at: float = 0.0


def started(command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A process of our own subcommand, that ends with its standard input. env: on top of our own."""
    return subprocess.Popen(
        [sys.executable, "-m", "daybook", *command],
        stdin=subprocess.PIPE,
        env={**os.environ, **env, "PYTHONPATH": str(Path(__file__).parent.parent)},
        start_new_session=True,
    )


class Supervisor:
    """say: told, in a sentence, what happens. Children are started in order and stopped in the same order.

    ready: whether the site can be used by now; asked after every start, until it says so.
    """

    def __init__(
        self, children: Sequence[Child], say: Callable[[str], None], ready: Callable[[], bool]
    ) -> None:
        self.children = children
        self.say = say
        self._ready = ready
        self._is_ready = False
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask `run` to end everything. From a signal handler or another thread."""
        self._stopping.set()

    def run(self) -> int:
        """Work until stopped. Returns 0, or 1 where a process could not be kept alive."""
        failed = False
        while not self._stopping.is_set():
            for child in self.children:
                if not self._keep(child):
                    failed = True
                    self._stopping.set()
                    break
            if not self._is_ready and self._ready():
                self._is_ready = True
                self.say("Ready for commands.")
            self._stopping.wait(0.1)
        self._end()
        return 1 if failed else 0

    def _keep(self, child: Child) -> bool:
        """Start the child if it does not run; False where it has died too often."""
        now = time.monotonic()
        if child.process is not None:
            status = child.process.poll()
            if status is None:
                return True
            child.process = None
            self._is_ready = False
            if child.essential and status == WRONG_USE:  # it has said why, and would say it again
                self.say(f"The {child.name} cannot start.")
                return False
            child.starts = recent = [one for one in child.starts if now - one < WITHIN_S]
            if child.essential and len(recent) >= FEW_RESTARTS:
                self.say(
                    f"The {child.name} ended {len(recent)} times in a minute (status {status}); giving up."
                )
                return False
            child.start_at = now + min(0.2 * 2 ** len(recent), MOST_WAIT_S)
            self.say(f"The {child.name} ended with status {status}; starting it again.")
        if now >= child.start_at:
            child.starts.append(now)
            child.process = started(child.command, child.env)
        return True

    def _end(self) -> None:
        for child in self.children:
            process = child.process
            if process is None:
                continue
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.say(f"The {child.name} did not stop within {STOP_S:.0f} s and was killed.")
                process.kill()
                process.wait()


def until_told() -> tuple[threading.Event, Callable[[Callable[[], None]], None]]:
    """For a process that runs until then: an event that SIGTERM or SIGINT sets, and where to say what else is
    to be done. Under `daybook up`, which holds the other end of a pipe, also the end of standard input.
    """
    told = threading.Event()
    then: list[Callable[[], None]] = []

    def stop(*_: object) -> None:
        told.set()
        for action in then:
            action()

    def watch() -> None:
        while os.read(0, 4096):
            pass
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # A terminal is somebody's, and in a container or a service standard input has ended already.
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=watch, name="standard-input", daemon=True).start()
    return told, then.append

"""The watchdog: ends the process when a thread of it gets nowhere, so that another process can take over.

It stands outside what it watches, in the thread that polls the group. A member that hangs goes on saying that
it lives, since the client does that by itself: without a watchdog its partition would be nobody's for ever.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

LOOK_S: Final = 1.0
"""A longer time between two looks counts as that much: a process that slept was stopped, and did not hang."""
STATUS: Final = 1

End = Callable[[str], None]


class Progress:
    """How one thread gets on. Only that thread writes it, and reading it needs no lock.

    doing: ends the sentence "it hangs at ...".   allowed_s: how long one step of that may take, at least.
    """

    __slots__ = ("allowed_s", "doing", "steps", "thread", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.thread: int | None = None
        self.doing = "starting"
        self.allowed_s = 0.0
        self.steps = 0

    def at(self, doing: str, allowed_s: float = 0.0) -> None:
        """A step is done, and this is the next."""
        self.doing = doing
        self.allowed_s = allowed_s
        self.steps += 1


class Watchdog:
    """patience_s: how long a step may take where its thread claims no more.   end: ends the process."""

    def __init__(
        self, patience_s: float, end: End | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s = patience_s
        self._end = end or end_process
        self._clock = clock
        self._looked = clock()
        self._awake_s = 0.0
        self._seen: dict[Progress, tuple[int, float]] = {}

    def look(self, watched: Iterable[Progress]) -> None:
        """Called more often than once a second. Ends the process where one of them hangs."""
        now = self._clock()
        self._awake_s += min(now - self._looked, LOOK_S)
        self._looked = now
        seen: dict[Progress, tuple[int, float]] = {}
        for one in watched:
            steps, since = self._seen.get(one, (-1, 0.0))
            if one.steps != steps:
                steps, since = one.steps, self._awake_s
            seen[one] = steps, since
            stands_s = self._awake_s - since
            if stands_s > max(self._patience_s, one.allowed_s):
                self._end(
                    f"{one.what} has hung for {stands_s:.0f} s at {one.doing}{_where(one.thread)}. The "
                    "process ends, and another takes over; nothing that was not committed is kept."
                )
        self._seen = seen


def end_process(why: str) -> None:
    """Say it and end, without asking any thread or lock of ours for leave."""
    os.write(2, f"{why}\n".encode())
    os._exit(STATUS)


def _where(thread: int | None) -> str:
    frame = sys._current_frames().get(thread) if thread is not None else None  # noqa: SLF001 - its public name
    if frame is None:
        return ""
    code = frame.f_code
    return f", in {code.co_qualname} ({Path(code.co_filename).name}:{frame.f_lineno})"

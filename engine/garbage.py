"""Garbage is collected where there is nothing else to do, not in the middle of a batch.

It is one decision a process: several workers in one share it.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def by_hand() -> Iterator[None]:
    """While this lasts nothing is collected but what `young` is called for; what is there now is never."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def young() -> None:
    """Collect what was made since the last time."""
    gc.collect(0)


def settle() -> None:
    """What was loaded stays: from now on it costs no collection anything."""
    gc.freeze()


def untie(error: BaseException) -> None:
    """Let go of the frames that it went through: they hold the state and the clients that it has ended, and
    what it ended may hold it.
    """
    one: BaseException | None = error
    while one is not None:
        one.__traceback__ = None
        one = one.__cause__ or one.__context__

"""Reading and decoding in a thread of its own, so that one core makes rows while the database stores them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Queue
from typing import TypeVar

Item = TypeVar("Item")
_DEPTH = 2


def ahead(make: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    """The items of what `make` returns, made a few ahead in another thread, which ends with this iterator.

    An exception there is raised here, in its place.
    """
    made: Queue[tuple[Item] | BaseException | None] = Queue(_DEPTH)
    stopping = threading.Event()

    def work() -> None:
        try:
            for item in make():
                made.put((item,))
                if stopping.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that asked
            made.put(error)
        else:
            made.put(None)

    thread = threading.Thread(target=work, name="projection", daemon=True)
    usual = sys.getswitchinterval()
    # The thread that stores is nearly always waiting for the database. When it is not, the database waits for
    # it, so it gets the interpreter's lock after half a millisecond instead of five: a fifth more throughput.
    sys.setswitchinterval(0.0005)
    thread.start()
    try:
        while (next_one := made.get()) is not None:
            if isinstance(next_one, BaseException):
                raise next_one
            yield next_one[0]
    finally:
        stopping.set()
        sys.setswitchinterval(usual)
        while thread.is_alive():
            if not made.empty():
                made.get()
            thread.join(0.001)

"""The derivations of the partitions that this process has been given, in turns, in one thread.

A partition is taken up only while the group says, as of now, that it is ours: to take it up is to fence
whoever has it. What is uncertain is taken up anew; who was fenced ends, with all that this process has.
The group is polled in another thread (`share`), since claiming a partition takes its time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import Event as Told
from typing import Final, Protocol

from engine import garbage
from engine.derivation import Host
from engine.errors import Uncertain

Open = Callable[[int], AbstractContextManager[Host]]

RELEASE_S: Final = 2.0
"""How long who gives a partition back waits until nothing is written there any more; then it is fenced."""
REPORT_S: Final = 1.0
"""How often lag monitors are told how far it is."""


class Group(Protocol):
    """The part of `Membership` that is needed here."""

    def poll(self, wait_s: float) -> None:
        """See `Membership.poll`."""
        ...

    def report(self, partition: int, position: int) -> None:
        """See `Membership.report`."""
        ...


class Derivations:
    """open: the host of a partition, recovered, for as long as the context lasts.

    ours: whether the group says so, as of now.   `gained` and `lost` may come from any thread; the rest is
    for the one that works.
    """

    def __init__(self, open: Open, ours: Callable[[int], bool] = lambda partition: True) -> None:
        self._open = open
        self._ours = ours
        self._wanted: set[int] = set()
        self._hosts: dict[int, tuple[Host, ExitStack]] = {}
        self._changed = threading.Condition()

    @property
    def positions(self) -> dict[int, int]:
        """By partition: the offset of the newest event whose consequences are durable."""
        return {partition: host.position for partition, (host, _) in list(self._hosts.items())}

    def gained(self, partitions: Iterable[int]) -> None:
        """These are ours now: each is taken up in a turn of its own."""
        with self._changed:
            self._wanted.update(partitions)

    def lost(self, partitions: Iterable[int]) -> None:
        """Let these go, between two turns; returns when it is done, or after `RELEASE_S`."""
        gone = set(partitions)
        with self._changed:
            self._wanted -= gone
            self._changed.wait_for(lambda: not gone & self._hosts.keys(), RELEASE_S)

    def step(self) -> int:
        """A turn for each; returns how many events there were. Raises what `Host` raises but Uncertain."""
        count = 0
        for partition, (host, _) in list(self._hosts.items()):
            try:
                if partition in self._wanted:
                    count += host.step()
                else:
                    self._drop(partition)
            except Uncertain:
                self._drop(partition)
        missing = min(self._wanted - self._hosts.keys(), default=None)
        if missing is not None and self._ours(missing):
            self._take_up(missing)
        return count

    def run(self, told: Told, idle_s: float = 0.02) -> None:
        """Work until told to stop, then let all go."""
        try:
            with garbage.by_hand():
                while not told.is_set():
                    if self.step() == 0:
                        garbage.young()
                        told.wait(idle_s)
        finally:
            for partition in list(self._hosts):
                self._drop(partition)

    def _take_up(self, partition: int) -> None:
        with ExitStack() as stack:
            host = stack.enter_context(self._open(partition))
            self._hosts[partition] = host, stack.pop_all()

    def _drop(self, partition: int) -> None:
        with self._changed:
            _, stack = self._hosts.pop(partition)
            stack.close()
            self._changed.notify_all()


def share(derivations: Derivations, group: Group, told: Told) -> None:
    """Derive what the group gives, until told to stop. Raises what ended the derivations."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            derivations.run(told)
        except BaseException as error:  # noqa: BLE001 - it is raised in the other thread
            failed.append(error)
            told.set()

    worker = threading.Thread(target=work, name="derive")
    worker.start()
    reported = 0.0
    try:
        while not told.is_set():
            group.poll(0.1)
            if (now := time.monotonic()) > reported + REPORT_S:
                reported = now
                for partition, position in derivations.positions.items():
                    group.report(partition, position + 1)
    finally:
        told.set()
        worker.join()
    if failed:
        raise failed[0]

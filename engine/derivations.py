"""The derivations of the partitions that this process has been given, in turns, in one thread.

A partition is taken up only while the group says, as of now, that it is ours: to take it up is to fence
whoever has it. What is uncertain is taken up anew; who was fenced ends, with all that this process has.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import Event as Told

from engine.derivation import Host
from engine.errors import Uncertain

Open = Callable[[int], AbstractContextManager[Host]]


class Derivations:
    """open: the host of a partition, recovered, for as long as the context lasts.

    ours: whether the group says so, as of now.
    """

    def __init__(self, open: Open, ours: Callable[[int], bool] = lambda partition: True) -> None:
        self._open = open
        self._ours = ours
        self._hosts: dict[int, tuple[Host, ExitStack]] = {}
        self._waiting: list[int] = []

    @property
    def partitions(self) -> set[int]:
        """Whose hosts are here, or about to be."""
        return {*self._hosts, *self._waiting}

    @property
    def positions(self) -> dict[int, int]:
        """By partition: the offset of the newest event whose consequences are durable."""
        return {partition: host.position for partition, (host, _) in self._hosts.items()}

    def gained(self, partitions: Iterable[int]) -> None:
        """These are ours now: each is taken up in a turn of its own."""
        self._waiting += sorted(set(partitions) - self.partitions)

    def lost(self, partitions: Iterable[int]) -> None:
        """Let these go. Nothing is left half done between two turns."""
        gone = set(partitions)
        self._waiting = [one for one in self._waiting if one not in gone]
        for partition in sorted(gone & self._hosts.keys()):
            self._drop(partition)

    def step(self) -> int:
        """A turn for each; returns how many events there were. Raises what `Host` raises but Uncertain."""
        if self._waiting and self._ours(self._waiting[0]):
            self._take_up(self._waiting.pop(0))
        count = 0
        for partition, (host, _) in list(self._hosts.items()):
            try:
                count += host.step()
            except Uncertain:
                self._drop(partition)
                self._waiting.append(partition)
        return count

    def run(self, told: Told, poll: Callable[[], object] = lambda: None, idle_s: float = 0.02) -> None:
        """Work until told to stop, then let all go. poll: called once a turn."""
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            while not told.is_set():
                poll()
                if self.step() == 0:
                    gc.collect(0)
                    told.wait(idle_s)
        finally:
            gc.enable()
            self.lost(self.partitions)

    def _take_up(self, partition: int) -> None:
        with ExitStack() as stack:
            host = stack.enter_context(self._open(partition))
            self._hosts[partition] = host, stack.pop_all()

    def _drop(self, partition: int) -> None:
        _, stack = self._hosts.pop(partition)
        stack.close()

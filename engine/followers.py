"""The followers of the partitions that this process has been given, in turns, in one thread.

Each partition has a follower, with a state, a folder of snapshots and receipts of its own. What they cost is
bounded: in a turn each folds at most `follower.AT_ONCE` events and some, only one at a time writes a
snapshot, and what their readers fetch ahead comes out of one allowance.
Which partitions those are is the group's business; two processes that follow one partition do no harm but
sign twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import Event as Told
from typing import Final, Generic, TypeVar

from engine import garbage
from engine.follower import Follower
from engine.log.records import BookLog

READ_AHEAD_KB: Final = 128 << 10
"""What the readers of all partitions together may hold that was not folded yet."""
LEAST_AHEAD_KB: Final = 4 << 10


L = TypeVar("L", bound=BookLog)
Open = Callable[[int], AbstractContextManager[L]]
Make = Callable[[int, L], Follower]


class Followers(Generic[L]):
    """open: a reader of a partition.   make: the follower of a partition over that reader."""

    def __init__(self, open: Open[L], make: Make[L]) -> None:
        self._open = open
        self._make = make
        self._followers: dict[int, tuple[Follower, ExitStack]] = {}
        self._waiting: list[int] = []

    @property
    def partitions(self) -> set[int]:
        """Whose followers are here, or about to be."""
        return {*self._followers, *self._waiting}

    def gained(self, partitions: Iterable[int]) -> None:
        """These are ours now: each is taken up in a turn of its own, since loading a snapshot takes time."""
        self._waiting += sorted(set(partitions) - self.partitions)

    def lost(self, partitions: Iterable[int]) -> None:
        """Let these go; what was folded of them is signed, and folded again by whoever has them next."""
        gone = set(partitions)
        self._waiting = [one for one in self._waiting if one not in gone]
        for partition in sorted(gone & self._followers.keys()):
            follower, stack = self._followers.pop(partition)
            with stack:
                follower.sign()

    def step(self) -> int:
        """A turn for each; returns how many events were folded in all. Raises what `Follower` raises."""
        if self._waiting:
            self._take_up(self._waiting.pop(0))
        return sum(follower.step() for follower, _ in list(self._followers.values()))

    def _take_up(self, partition: int) -> None:
        with ExitStack() as stack:
            follower = self._make(partition, stack.enter_context(self._open(partition)))
            stack.callback(follower.progress.close)
            self._followers[partition] = follower, stack.pop_all()

    def run(self, told: Told, poll: Callable[[], object] = lambda: None, idle_s: float = 0.2) -> None:
        """Work until told to stop, then leave nothing unsigned. poll: called once a turn."""
        with garbage.by_hand():
            while not told.is_set():
                poll()
                if self.step() == 0:
                    garbage.young()
                    told.wait(idle_s)
        self.close()

    def close(self) -> None:
        """Sign and write what is not due yet, and let all go."""
        while self._followers:
            _, (follower, stack) = self._followers.popitem()
            with stack:
                follower.finish()


def read_ahead_kb(partitions: int) -> int:
    """How much each of so many readers may fetch ahead, in KiB."""
    return max(LEAST_AHEAD_KB, READ_AHEAD_KB // max(1, partitions))

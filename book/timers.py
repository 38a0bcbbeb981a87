"""The timers of a book: what falls due, and when. They are state, so replay has them too.

Only `evolve` may add and remove; asking for the next one never changes anything.
"""

from __future__ import annotations

import heapq

import msgspec


class Timers(msgspec.Struct):
    """due: id to due time in ms.   queue: a heap of (due, id); entries that are no longer in `due` are stale,
    and its first entry never is.
    """

    due: dict[str, int] = {}
    queue: list[tuple[int, str]] = []

    def set(self, timer: str, due_ms: int) -> None:
        """Add the timer, or move it."""
        self.due[timer] = due_ms
        heapq.heappush(self.queue, (due_ms, timer))
        self._drop_stale()

    def remove(self, timer: str) -> None:
        """Remove the timer; it is no error if it has gone already."""
        self.due.pop(timer, None)
        self._drop_stale()

    def next(self) -> tuple[int, str] | None:
        """The (due time, id) that fires next, by time and then by id."""
        return self.queue[0] if self.queue else None

    def _drop_stale(self) -> None:
        queue, due = self.queue, self.due
        while queue and due.get(queue[0][1]) != queue[0][0]:
            heapq.heappop(queue)

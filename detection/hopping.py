"""Hopping windows over book time: how time is cut, and how long what is late is waited for.

Time is cut into hops, counted from 1970. A window is named by its last hop and reaches back over as many as
fit into its length; it stands only where something was seen in its last hop, since a window without would
tell nothing that one before has not told. So which windows stand, and what is in them, does not depend on
the order in which books are heard, as long as nothing is later than is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

HOUR_MS = 3_600_000


class Hopping(msgspec.Struct, frozen=True):
    """size_ms: length of a window.   hop_ms: of a hop, which divides it.   late_ms: how far behind the newest
    a sighting of the same subject may be and still count.
    """

    size_ms: int = 24 * HOUR_MS
    hop_ms: int = 3 * HOUR_MS
    late_ms: int = 24 * HOUR_MS

    def __post_init__(self) -> None:
        assert self.hop_ms > 0, "a hop takes time"
        assert self.size_ms % self.hop_ms == 0, "hops fill a window"

    def hop(self, at_ms: int) -> int:
        """The number of the hop that a book time is in."""
        return at_ms // self.hop_ms

    @property
    def hops(self) -> int:
        """How many hops a window has."""
        return self.size_ms // self.hop_ms

    def too_late(self, hop: int, newest: int) -> bool:
        """Whether what was seen in this hop comes too late, where the newest is known."""
        return hop < newest - -(-self.late_ms // self.hop_ms)

    def oldest(self, newest: int) -> int:
        """The oldest hop that may still be in a window that changes."""
        return newest - -(-self.late_ms // self.hop_ms) - self.hops + 1

    def touched(self, hop: int, seen: Iterable[int]) -> Iterator[int]:
        """The windows that what is seen in `hop` is in, among the hops in which anything was."""
        return (one for one in seen if hop <= one < hop + self.hops)

    def within(self, window: int, hop: int) -> bool:
        """Whether the hop is in the window."""
        return window - self.hops < hop <= window

    def ends_ms(self, window: int) -> int:
        """The book time at which the window is over."""
        return (window + 1) * self.hop_ms

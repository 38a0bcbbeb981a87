"""Rolling windows over book time: how many movements, and how much, in the slices that still count.

At a time t, a window of `slices` slices of `width_ms` counts everything from slice
`t // width_ms - slices` on, so that the oldest slice counts whole: a window of 24 hours in slices of one is
never shorter than a day, and never longer than 25 hours.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import msgspec

from schemas.fields import INT64_MAX

_SLICE = struct.Struct("<IIq")
"""An older slice, packed: its number, how many, and how much."""
_SIZE = _SLICE.size
_MOST = 2**32 - 1

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Span(NamedTuple):
    """A window's length as slices. slices: how many before the current one still count."""

    width_ms: int
    slices: int


HOUR = Span(HOUR_MS // 6, 6)
DAY = Span(HOUR_MS, 24)
WEEK = Span(DAY_MS, 7)
MONTH = Span(DAY_MS, 30)


class Window(msgspec.Struct, gc=False):
    """What was counted in a window, as of its newest slice. Amounts are minor units, at most `INT64_MAX`.

    newest, oldest: the numbers of the newest and of the oldest slice in which something was counted.
    count, total: of all slices.   last_count, last_total: of the newest.   older: the others, packed.
    """

    newest: int = 0
    oldest: int = 0
    count: int = 0
    total: int = 0
    last_count: int = 0
    last_total: int = 0
    older: bytes = b""

    def add(self, slice_: int, slices: int, amount: int) -> None:
        """Count a movement in a slice of book time, which never goes back."""
        if slice_ != self.newest:
            self._begin(slice_, slices)
        self.count += 1
        self.last_count += 1
        self.total = total = self.total + amount
        self.last_total += amount
        if total > INT64_MAX:
            self.total = INT64_MAX
            self.last_total = min(self.last_total, INT64_MAX)

    def _begin(self, slice_: int, slices: int) -> None:
        """Another slice is the newest. Those that count no longer are forgotten."""
        first = slice_ - slices
        if self.newest < first or not self.count:
            self.older = b""
            self.count = self.total = 0
            self.oldest = slice_
        else:
            older = self.older + _SLICE.pack(self.newest, min(self.last_count, _MOST), self.last_total)
            if self.oldest < first:
                kept = 0
                while _SLICE.unpack_from(older, kept)[0] < first:
                    kept += _SIZE
                older = older[kept:]
                self.oldest = _SLICE.unpack_from(older)[0]
                self.count, self.total = _sums(older, first)
            self.older = older
        self.newest = slice_
        self.last_count = self.last_total = 0

    def count_from(self, first: int) -> int:
        """How many movements were counted in the slices from `first` on."""
        if first <= self.oldest:
            return self.count
        if first > self.newest:
            return 0
        return self.last_count + _sums(self.older, first)[0]

    def total_from(self, first: int) -> int:
        """What they come to, at most `INT64_MAX`."""
        if first <= self.oldest:
            return self.total
        if first > self.newest:
            return 0
        return min(self.last_total + _sums(self.older, first)[1], INT64_MAX)


def _sums(older: bytes, first: int) -> tuple[int, int]:
    count = total = 0
    for number, times, amount in _SLICE.iter_unpack(older):
        if number >= first:
            count += times
            total += amount
    return count, min(total, INT64_MAX)

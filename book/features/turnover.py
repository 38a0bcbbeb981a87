"""How much has moved in rolling windows: all of it is summed up once, and windows remember where it stood.

What has moved since it is counted only grows, so what moved in a window is the difference between now and
where it stood when the window's oldest slice began. That is noted once a slice; most movements come in a
slice that has begun, and cost two additions however many windows there are.

At a time t, a window of so many slices counts everything from as many slices before the current one on, so
that the oldest counts whole: 24 hours in slices of one are never less than a day, nor more than 25 hours.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import msgspec

from schemas.fields import INT64_MAX

_MARK = struct.Struct("<HIIQ")
"""Where it stood when a slice began: the lower half of the slice's number, how many, and how much: what is
carried, and the rest.
"""
_SIZE = _MARK.size
_HALF = 2**16
_WRAPS = 2**32
_BITS = 62
_BELOW = (1 << _BITS) - 1

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PART_MS = HOUR_MS // 6


class Span(NamedTuple):
    """A window. field: its marks.   bit: says that it is kept.   parts: of `PART_MS`, in a slice.
    slices: how many before the current one still count.
    """

    field: str
    bit: int
    parts: int
    slices: int


HOUR = Span("marks_1h", 1, 1, 6)
DAY = Span("marks_24h", 2, 6, 24)
WEEK = Span("marks_7d", 4, 144, 7)
MONTH = Span("marks_30d", 8, 144, 30)
SPANS = {"1h": HOUR, "24h": DAY, "7d": WEEK, "30d": MONTH}


class Turnover(msgspec.Struct, gc=False):
    """What has moved. A window counts fewer than 2**32 movements.

    part: the newest part of an hour in which something did, counted since 1970.   count: how many.
    total: how much, without what is `carried`, which counts 2**62.
    marks_…: where it stood at the beginning of each slice that counts, packed, oldest first.
    """

    part: int = -1
    count: int = 0
    total: int = 0
    carried: int = 0
    marks_1h: bytes = b""
    marks_24h: bytes = b""
    marks_7d: bytes = b""
    marks_30d: bytes = b""

    def add(self, at_ms: int, amount: int, kept: int) -> None:
        """Another movement, at a time that never goes back. kept: the bits of the windows."""
        part = at_ms // PART_MS
        if part != self.part:
            self._turn(part, kept)
        self.count += 1
        self.total = total = self.total + amount
        if total > _BELOW:
            self.carried += total >> _BITS
            self.total = total & _BELOW

    def _turn(self, part: int, kept: int) -> None:
        """Something moves in another part of an hour, and so perhaps in other slices."""
        before = self.part
        self.part = part
        if kept & 1:
            self.marks_1h = self._marked(self.marks_1h, before, part, 6)
        if kept & 2 and before // 6 != part // 6:
            self.marks_24h = self._marked(self.marks_24h, before // 6, part // 6, 24)
        if before // 144 != part // 144:
            if kept & 4:
                self.marks_7d = self._marked(self.marks_7d, before // 144, part // 144, 7)
            if kept & 8:
                self.marks_30d = self._marked(self.marks_30d, before // 144, part // 144, 30)

    def _marked(self, marks: bytes, before: int, slice_: int, slices: int) -> bytes:
        """With a mark for a slice. Those of slices that count no longer go, so all are near the newest."""
        if slice_ - before > slices:
            marks = b""
        kept = 0
        while kept < len(marks) and (slice_ - _MARK.unpack_from(marks, kept)[0]) % _HALF > slices:
            kept += _SIZE
        return marks[kept:] + _MARK.pack(
            slice_ % _HALF, self.count % _WRAPS, self.carried % _WRAPS, self.total
        )

    def begin(self, span: Span) -> None:
        """From here on a window is kept that was not."""
        slice_ = self.part // span.parts
        setattr(self, span.field, self._marked(b"", slice_, slice_, span.slices))

    def count_in(self, marks: bytes, parts: int, slices: int, at_ms: int) -> int:
        """How many movements are in the window that ends now, which has these marks."""
        newest = self.part // parts
        behind = newest - at_ms // PART_MS // parts + slices
        place = 0
        while place < len(marks) and behind >= 0:
            slice_, count, _, _ = _MARK.unpack_from(marks, place)
            if (newest - slice_) % _HALF <= behind:
                found: int = (self.count - count) % _WRAPS
                return found
            place += _SIZE
        return 0

    def total_in(self, marks: bytes, parts: int, slices: int, at_ms: int) -> int:
        """What they come to, at most `INT64_MAX`."""
        newest = self.part // parts
        behind = newest - at_ms // PART_MS // parts + slices
        place = 0
        while place < len(marks) and behind >= 0:
            slice_, _, carried, total = _MARK.unpack_from(marks, place)
            if (newest - slice_) % _HALF <= behind:
                found: int = self.total - total
                if carried == self.carried:  # nearly always, and then it is small
                    return found
                more: int = (self.carried - carried) % _WRAPS
                return min((more << _BITS) + found, INT64_MAX)
            place += _SIZE
        return 0

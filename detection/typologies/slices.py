"""What came to and went from an account within a window, in slices of time: exact sums in bounded memory.

The window is the slice that the moment lies in and the `SLICES` before it: the oldest, which lies only partly
within the span, counts whole. As with limits, that is the definition and not an approximation.
"""

from __future__ import annotations

from typing import Final

import msgspec

SLICES: Final = 12
"""Slices of a window: six hours each of three days, 28 of fourteen days."""


class Slice(msgspec.Struct, gc=False, array_like=True):
    """start: book time in ms.   began: its first movement.   came, went: what in it, minor units."""

    start: int
    began: int
    came: int = 0
    went: int = 0


class Slices(msgspec.Struct, gc=False, array_like=True):
    """slices: those in which something was, oldest first.   oldest: start of the first, -1 where there is
    none.   came_in, went_out: of all of them, minor units.
    """

    slices: list[Slice] = []
    oldest: int = -1
    came_in: int = 0
    went_out: int = 0

    @property
    def began(self) -> int:
        """The first movement of all. There is one."""
        return self.slices[0].began

    def forget(self, before: int) -> None:
        """Forget the slices that start before."""
        gone = 0
        for one in self.slices:
            if one.start >= before:
                break
            self.came_in -= one.came
            self.went_out -= one.went
            gone += 1
        if gone:
            del self.slices[:gone]
            self.oldest = self.slices[0].start if self.slices else -1

    def add(self, start: int, at: int, came: int, went: int) -> None:
        """Count what came or went at that moment, in the slice that starts there; time does not go back."""
        slices = self.slices
        if not slices or slices[-1].start < start:
            if not slices:
                self.oldest = start
            slices.append(Slice(start, at, came, went))
        else:
            newest = slices[-1]
            newest.came += came
            newest.went += went
        self.came_in += came
        self.went_out += went

    def clear(self) -> None:
        """Begin anew."""
        self.slices.clear()
        self.oldest, self.came_in, self.went_out = -1, 0, 0

"""What came to and went from an account within a window, in slices of time: exact sums in bounded memory.

The window is the slice that the moment lies in and the `SLICES` before it: the oldest, which lies only partly
within the span, counts whole. As with limits, that is the definition and not an approximation.
"""

from __future__ import annotations

from typing import Final

import msgspec

SLICES: Final = 12
"""Slices of a window: six hours each of three days, 28 of fourteen days."""


class Slices(msgspec.Struct, gc=False, array_like=True):
    """starts: of the slices in which something was, book time in ms, oldest first.   began: the first
    movement in each.   came, went: what in each, minor units.   came_in, went_out: the same, of all that are
    kept.
    """

    starts: list[int] = []
    began: list[int] = []
    came: list[int] = []
    went: list[int] = []
    came_in: int = 0
    went_out: int = 0

    def forget(self, before: int) -> None:
        """Forget the slices that start before."""
        gone = 0
        for start in self.starts:
            if start >= before:
                break
            self.came_in -= self.came[gone]
            self.went_out -= self.went[gone]
            gone += 1
        if gone:
            del self.starts[:gone], self.came[:gone], self.went[:gone], self.began[:gone]

    def add(self, start: int, at: int, came: int, went: int) -> None:
        """Count what came or went at that moment, in the slice that starts there; time does not go back."""
        if not self.starts or self.starts[-1] < start:
            self.starts.append(start)
            self.came.append(0)
            self.went.append(0)
            self.began.append(at)
        self.came[-1] += came
        self.went[-1] += went
        self.came_in += came
        self.went_out += went

    def clear(self) -> None:
        """Begin anew."""
        self.forget(self.starts[-1] + 1 if self.starts else 0)

"""What the mean and deviation of an account's own payments come from, as exact whole numbers: how many, their
sum, and the sum of their squares. State holds numbers of 64 bits, so each sum has two limbs.
"""

from __future__ import annotations

import msgspec

_BITS = 62
_BELOW = (1 << _BITS) - 1


class Moments(msgspec.Struct, gc=False):
    """total, squares: the lower limbs.   upper_total, upper_squares: the upper ones, which count 2**62; the
    square of one amount alone may have 126 bits, so that of squares is packed.
    """

    count: int = 0
    total: int = 0
    squares: int = 0
    upper_total: int = 0
    upper_squares: bytes = b""

    def add(self, amount: int) -> None:
        """Another payment."""
        self.count += 1
        self.total = total = self.total + amount
        self.squares = squares = self.squares + amount * amount
        if total > _BELOW:
            self.upper_total += total >> _BITS
            self.total = total & _BELOW
        if squares > _BELOW:
            self.upper_squares = _packed(int.from_bytes(self.upper_squares, "big") + (squares >> _BITS))
            self.squares = squares & _BELOW

    def sums(self) -> tuple[int, int]:
        """The sum, and the sum of squares."""
        squares = self.squares + (int.from_bytes(self.upper_squares, "big") << _BITS)
        return self.total + (self.upper_total << _BITS), squares


def _packed(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")

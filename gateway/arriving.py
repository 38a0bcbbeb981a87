"""Lines as they arrive in a pipe: what is here can be told from what would have to be waited for.

Python's own reader cannot say whether it holds another whole line without waiting for one.
"""

from __future__ import annotations

import os


class Arriving:
    """Reads a file descriptor that nobody else reads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = bytearray()
        self._over = False

    def readline(self, size: int, /) -> bytes:
        """The next line with its line feed, or the next `size` bytes of it; empty at the end."""
        seen = 0
        while True:
            end = self._held.find(b"\n", seen, size) + 1
            if end or self._over or len(self._held) >= size:
                end = end or min(size, len(self._held))
                line = bytes(self._held[:end])
                del self._held[:end]
                return line
            seen = len(self._held)
            chunk = os.read(self._descriptor, 1 << 18)
            self._over = not chunk
            self._held += chunk

    def holds_line(self) -> bool:
        """Whether the next line can be read without waiting."""
        return b"\n" in self._held

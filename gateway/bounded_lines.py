"""Lines of a byte stream, each at most so long: a file without a line feed must not fill the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class HasLines(Protocol):
    """A stream of bytes that gives lines."""

    def readline(self, size: int, /) -> bytes:
        """The next line with its line feed, or the next `size` bytes of it; empty at the end."""
        ...


def bounded_lines(stream: HasLines, most_bytes: int) -> Iterator[bytes | None]:
    """Every line without its line end; None in place of a line that is longer than `most_bytes`."""
    read = stream.readline
    while line := read(most_bytes + 2):
        if not line.endswith(b"\n") and len(line) > most_bytes:
            while line and not line.endswith(b"\n"):
                line = read(65_536)
            yield None
            continue
        line = line.rstrip(b"\r\n")
        yield line if len(line) <= most_bytes else None

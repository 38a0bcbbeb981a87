"""What detection reads of every event, whatever its type. Faces of single types are derived from it."""

from __future__ import annotations

import msgspec


class Face(msgspec.Struct, gc=False, frozen=True, tag_field="type"):
    """What every event has. seq: in its book.   at: book time, ms."""

    seq: int
    book: str
    at: int

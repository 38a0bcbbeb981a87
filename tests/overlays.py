"""What must hold of an overlay: it becomes what the book becomes, and the book stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from book.digest import partition_digest
from book.evolve import evolve
from book.overlay import overlay
from book.state import Partition
from book.timers import Timers
from engine.fold import Folded
from engine.log.records import Record
from schemas.catalogue import decode_event


def told(value: Any) -> Any:
    """A state as plain values, in the order in which it would be read, whether it is an overlay or not."""
    if isinstance(value, Timers):
        return "timers", list(value.due.items()), value.next()
    if isinstance(value, msgspec.Struct):
        return type(value).__name__, [told(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, dict):
        return [(key, told(value[key])) for key in value]
    if isinstance(value, list | tuple):
        return [told(one) for one in value]
    return value


def prove_overlay(records: Sequence[Record]) -> None:
    """The second half of a log, applied to overlays of the books after its first half, makes of them what the
    log makes; and leaves the books themselves alone.
    """
    half = Folded()
    half.apply(iter(records[: len(records) // 2]))
    before = partition_digest(half.partition)
    books = half.partition.books
    tried = Partition({name: overlay(book) for name, book in books.items()}, half.partition.position)
    for record in records[len(records) // 2 :]:
        evolve(tried, decode_event(record.value))
    assert partition_digest(half.partition) == before, "what is tried on an overlay changed the book"
    whole = Folded()
    whole.apply(iter(records))
    for name, book in whole.partition.books.items():
        assert told(tried.books[name]) == told(book), f"the overlay of {name} is not what it should be"

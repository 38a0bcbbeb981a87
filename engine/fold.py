"""The state is the fold of the log: start from nothing or from a snapshot, apply every event, in order."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from book.evolve import evolve
from book.state import Partition
from engine.links import FIRST_LINK, link_of
from engine.log.records import BEFORE_FIRST, Record
from schemas.catalogue import decode_event


class Folded(msgspec.Struct):
    """A partition's state, and how far it goes. offset: of the newest event applied.   link: of its page."""

    partition: Partition = msgspec.field(default_factory=Partition)
    offset: int = BEFORE_FIRST
    link: bytes = FIRST_LINK

    def apply(self, records: Iterable[Record]) -> None:
        """Apply the events that follow."""
        partition, offset, link = self.partition, self.offset, self.link
        try:
            for record in records:
                evolve(partition, decode_event(record.value))
                offset = record.offset
                if record.headers:
                    link = link_of(record.headers) or link
        finally:
            self.offset, self.link = offset, link

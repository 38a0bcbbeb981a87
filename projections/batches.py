"""From the log's events to batches: read, decode, never cut an outcome in two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import force_setattr

from book.state import SYSTEM_BOOK
from engine.log.records import Record
from projections.copying import instant
from projections.tables import Batch
from schemas.catalogue import MONEY_EVENTS, decode_event
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed

_ONLY_MONEY = frozenset({TransferPosted, EntriesPosted, TransferReversed, TransferRefunded})
"""What says nothing beside its postings, unless it reserves something."""


def batches(partition: int, records: Iterable[Record], limit: int) -> Iterator[Batch]:
    """The records in batches of about `limit`. They end with a whole page, so no outcome ends outside."""
    batch = _empty(partition)
    cause = -1
    for record in records:
        value = record.value
        event = decode_event(value)
        if len(batch.records) >= limit and (event.cause < 0 or event.cause != cause):
            yield batch
            batch = _empty(partition)
        cause = event.cause
        if partition and event.book == SYSTEM_BOOK:
            force_setattr(event, "book", own_system_book(partition))
        at = instant(event.at)
        batch.records.append(record)
        batch.events.append(event)
        batch.times.append(at)
        kind = type(event)
        if kind in MONEY_EVENTS:
            batch.money.append((event, value, at))
        if kind not in _ONLY_MONEY or event.reserves:
            batch.others.append(event)
    if batch.records:
        yield batch


def own_system_book(partition: int) -> str:
    """What a partition's system book is called in the read models, where those of all partitions meet."""
    return f"{SYSTEM_BOOK}/{partition}" if partition else SYSTEM_BOOK


def is_system_book(book: str) -> bool:
    """Whether the read models' book is one of those. No client can give a book such a name."""
    return book.startswith(SYSTEM_BOOK)


def _empty(partition: int) -> Batch:
    return Batch(partition, [], [], [], [], [])

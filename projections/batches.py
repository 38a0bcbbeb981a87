"""From the log's events to batches: read, decode, never cut an outcome in two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.log.records import Record
from projections.tables import Batch
from schemas.catalogue import decode_event
from schemas.message import Event
from schemas.transfers import EntriesPosted, MoneyEvent, TransferPosted, TransferRefunded, TransferReversed

_MONEY = frozenset({TransferPosted, EntriesPosted, TransferReversed, TransferRefunded})


def batches(partition: int, records: Iterable[Record], limit: int) -> Iterator[Batch]:
    """The records in batches of about `limit`. They end with a whole page, so no outcome ends outside."""
    taken: list[Record] = []
    events: list[Event] = []
    money: list[tuple[MoneyEvent, bytes]] = []
    others: list[Event] = []
    for record in records:
        value = record.value
        event = decode_event(value)
        if len(taken) >= limit and (event.cause < 0 or event.cause != events[-1].cause):
            yield Batch(partition, taken, events, money, others)
            taken, events, money, others = [], [], [], []
        taken.append(record)
        events.append(event)
        if type(event) in _MONEY:
            money.append((event, value))
        else:
            others.append(event)
    if taken:
        yield Batch(partition, taken, events, money, others)

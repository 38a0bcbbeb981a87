"""`publisher`: the public outcomes of uniform transfers, derived from their events.

`publisher/derive` is the work alone, from events as they were read to records as they are written; beside it
decoding whole events, and nothing else. `publisher/kafka` reads a partition of events on the broker that
DAYBOOK_KAFKA_BOOTSTRAP names, and writes the outcomes there, to the last acknowledged transaction.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import secrets
import time
from collections.abc import Sequence

import msgspec

from bench import book
from bench.measure import Contender, Sample, Size
from engine.admission import Admission
from engine.derivation import AT_ONCE, Host
from engine.embedded import InProcess
from engine.log.kafka import KafkaLog
from engine.log.kafka_output import KafkaOutput
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, Record, wall_clock
from engine.log.topic_settings import create
from engine.log.topics import Kafka
from engine.publisher import NAME, Publisher, published
from schemas.catalogue import decode_event

PAGE = 1_000


def events_of(transfers: int) -> list[Record]:
    """The events of so many transfers, in pages of a thousand."""
    log = MemoryLog()
    book.founded(log)
    engine = InProcess(log, admission=Admission(book.KEYRING), batch=PAGE)
    first = log.last_event_offset()
    engine.submit(book.transfers("uniform-10k", transfers, 1, wall_clock()))
    return list(log.events(first))


def derived(records: Sequence[Record]) -> Sample:
    """All of them, a page of output at a time."""
    publisher, outs = Publisher(), 0
    began = time.perf_counter()
    for start in range(0, len(records), AT_ONCE):
        outs += len(publisher.derive(records[start : start + AT_ONCE]))
    return Sample(outs, time.perf_counter() - began)


def decoded_whole(records: Sequence[Record]) -> Sample:
    """Only decoding them, whole, as everything else that follows the log has to."""
    began = time.perf_counter()
    for record in records:
        decode_event(record.value)
    return Sample(len(records), time.perf_counter() - began)


class OnKafka:
    """A partition of events; each turn publishes all of it to a topic that is new."""

    def __init__(self, bootstrap: str, records: Sequence[Record]) -> None:
        self._kafka = Kafka(bootstrap, f"bench-{secrets.token_hex(4)}")
        self._count = len(records)
        create(self._kafka, partitions=1, replication=1)
        with KafkaLog(self._kafka, writer=True) as log:
            for start in range(0, len(records), PAGE):
                page = [Out(one.key, one.value, one.headers) for one in records[start : start + PAGE]]
                log.commit(page, BEFORE_FIRST, records[start].time_ms)

    def turn(self) -> Sample:
        """Publish from the first event to the last."""
        other = msgspec.structs.replace(self._kafka, prefix=f"bench-{secrets.token_hex(4)}")
        create(other, partitions=1, replication=1)
        with (
            KafkaLog(self._kafka) as log,
            contextlib.closing(KafkaOutput(other, other.outcomes, 0, NAME)) as output,
        ):
            host = Host(Publisher(), log, output)
            done = 0
            latencies = []
            began = now = time.perf_counter()
            while done < self._count:
                done += host.step()
                then, now = now, time.perf_counter()
                latencies.append(now - then)
            return Sample(done, now - began, latencies)


def contenders(size: Size, stack: contextlib.ExitStack) -> list[Contender]:
    """Those that can be measured here: without a broker, the work alone."""
    records = events_of(size.events)
    assert len(list(published(records))) == size.events, "one event a transfer"
    gc.freeze()
    stack.callback(gc.unfreeze)
    found = [
        Contender("publisher/decode-whole", functools.partial(decoded_whole, records), "none", 1),
        Contender(
            "publisher/derive",
            functools.partial(derived, records),
            "none",
            AT_ONCE,
            ("publisher/decode-whole",),
        ),
    ]
    bootstrap = os.environ.get("DAYBOOK_KAFKA_BOOTSTRAP")
    if bootstrap:
        found.append(Contender("publisher/kafka", OnKafka(bootstrap, records).turn, "kafka", AT_ONCE))
    return found

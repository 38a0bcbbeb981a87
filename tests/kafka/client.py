"""Kafka as the load and the auditor see it: through aiokafka, which shares no line with the engine's client.

Nothing here, nor in what the load and the auditor are made of, may import a room of Daybook.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiokafka  # type: ignore[import-untyped]
import aiokafka.codec  # type: ignore[import-untyped]
import aiokafka.errors  # type: ignore[import-untyped]
import aiokafka.partitioner  # type: ignore[import-untyped]
import aiokafka.record._crecords.default_records as fast_records  # type: ignore[import-untyped]
import aiokafka.record.default_records as plain_records  # type: ignore[import-untyped]

from tests.kafka import lz4

if not aiokafka.codec.has_lz4():
    aiokafka.codec.has_lz4 = lambda: True
    fast_records.lz4_decode = plain_records.lz4_decode = lz4.decode

KafkaError: Final = aiokafka.errors.KafkaError
TopicPartition: Final = aiokafka.TopicPartition
SILENCE_S: Final = 60.0
"""How long a broker may say nothing before reading what is there has failed."""

Place = tuple[str, int]
"""A topic and a partition."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it was read. time_ms: its time, ms since 1970."""

    key: bytes
    value: bytes
    offset: int
    time_ms: int
    headers: tuple[tuple[str, bytes], ...] = ()


def partition_of(key: bytes, partitions: int) -> int:
    """Where the Java clients would put a record of this key."""
    return int(aiokafka.partitioner.murmur2(key) & 0x7FFFFFFF) % partitions


def producer(bootstrap: str, name: str) -> Any:
    """A producer without idempotence: what it sends again may stand in the log twice."""
    return aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=name,
        acks="all",
        enable_idempotence=False,
        linger_ms=2,
        request_timeout_ms=4_000,
        retry_backoff_ms=50,
        metadata_max_age_ms=2_000,
        max_request_size=8 << 20,
    )


def consumer(bootstrap: str, *, committed: bool = True) -> Any:
    """A consumer by hand: no group, nothing is passed over."""
    return aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed" if committed else "read_uncommitted",
        request_timeout_ms=10_000,
        retry_backoff_ms=50,
        metadata_max_age_ms=2_000,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=16 << 20,
    )


async def read(
    bootstrap: str, after: dict[Place, int], *, committed: bool = True
) -> dict[Place, Sequence[Seen]]:
    """Everything that stands behind the given offsets by now; moves `after` on to the end that was read to.

    Raises TimeoutError where the broker falls silent.
    """
    found: dict[Place, list[Seen]] = {place: [] for place in after}
    reader = consumer(bootstrap, committed=committed)
    await reader.start()
    try:
        places = {place: TopicPartition(*place) for place in after}
        reader.assign(list(places.values()))
        ends = await reader.end_offsets(list(places.values()))
        for place, one in places.items():
            reader.seek(one, after[place])
        async with asyncio.timeout(SILENCE_S):
            for place, one in places.items():
                while await reader.position(one) < ends[one]:
                    for at, records in (await reader.getmany(timeout_ms=50)).items():
                        found[at.topic, at.partition] += map(_seen, records)
                after[place] = max(after[place], await reader.position(one))
        for place, one in places.items():  # a later place may have brought more of an earlier one
            after[place] = await reader.position(one)
    finally:
        await reader.stop()
    return dict(found)


async def ends(bootstrap: str, places: Iterable[Place], *, committed: bool = True) -> dict[Place, int]:
    """The offset behind the last record; committed: behind the last one that readers may see."""
    reader = consumer(bootstrap, committed=committed)
    await reader.start()
    try:
        found = await reader.end_offsets([TopicPartition(*place) for place in places])
    finally:
        await reader.stop()
    return {(one.topic, one.partition): int(offset) for one, offset in found.items()}


def _seen(record: Any) -> Seen:
    return Seen(
        record.key or b"", record.value or b"", record.offset, record.timestamp, tuple(record.headers)
    )


async def partitions_of(bootstrap: str, topic: str) -> int:
    """How many partitions the topic has."""
    reader = consumer(bootstrap)
    await reader.start()
    try:
        await reader.topics()
        return len(reader.partitions_for_topic(topic) or ())
    finally:
        await reader.stop()

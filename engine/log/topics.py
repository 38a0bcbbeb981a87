"""Where a site is in a Kafka cluster: its topics, the settings they need, and which partition a book is on.

A topic is made once, with its partition count; a wrong setting is refused with what would mend it, since each
of them is a way to lose or to double something. Nothing here may know what a record says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from engine.errors import LogUnavailable

MAX_BYTES: Final = 8 << 20
"""The largest record that the topics take."""
ANSWER_S: Final = 15.0
"""How long an answer of the cluster is waited for."""

_EVERYWHERE: Final[Mapping[str, Any]] = {
    "log_level": 2,  # what matters reaches us as an error with its code
    "retry.backoff.ms": 10,  # 100 stalls on CONCURRENT_TRANSACTIONS (DESIGN 7)
    "socket.keepalive.enable": True,
    "topic.metadata.refresh.interval.ms": 30_000,
}
_READING: Final[Mapping[str, Any]] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # what is not there any more is never passed over
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 100,
    "fetch.queue.backoff.ms": 5,
    "fetch.error.backoff.ms": 20,
    "max.partition.fetch.bytes": 16 << 20,
    "receive.message.max.bytes": 128 << 20,
    "queued.max.messages.kbytes": 128 << 10,
}
_WRITING: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 5,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 0,  # a page is held whole anyway
    "message.max.bytes": MAX_BYTES,
}


class Kafka(msgspec.Struct, frozen=True):
    """A site's place in a cluster.

    bootstrap: `host:port,...`.   prefix: what its topics' names begin with.
    options: librdkafka's settings for security, such as `security.protocol`, `ssl.*` and `sasl.*`.
    """

    bootstrap: str
    prefix: str = "daybook"
    options: dict[str, str] = {}

    @property
    def commands(self) -> str:
        """Where commands are: everybody writes, engines read."""
        return f"{self.prefix}.commands"

    @property
    def events(self) -> str:
        """Where events are: engines write."""
        return f"{self.prefix}.events"

    @property
    def outcomes(self) -> str:
        """The public stream: one record a command."""
        return f"{self.prefix}.outcomes"

    def settings(self, *more: Mapping[str, Any]) -> dict[str, Any]:
        """What every client is made with, and `more`."""
        made: dict[str, Any] = {"bootstrap.servers": self.bootstrap, **_EVERYWHERE}
        for one in more:
            made |= one
        return made | self.options

    def consumer(self, **more: Any) -> Consumer:
        """A consumer of committed records, by hand and not by a group unless `more` says otherwise."""
        named = {name.replace("_", "."): value for name, value in more.items()}
        return Consumer(self.settings(_READING, {"group.id": f"{self.prefix}-nobody"}, named))

    def producer(self, **more: Any) -> Producer:
        """A producer that loses and doubles nothing by itself."""
        named = {name.replace("_", "."): value for name, value in more.items()}
        return Producer(self.settings(_WRITING, named))

    def admin(self) -> AdminClient:
        """For asking about, and making, topics."""
        return AdminClient(self.settings())

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has, 0 where there is no such topic. Raises LogUnavailable."""
        try:
            found = self.admin().list_topics(topic, ANSWER_S).topics.get(topic)
        except KafkaException as error:
            raise unavailable(error, f"asking {self.bootstrap} for {topic}") from error
        return 0 if found is None or found.error is not None else len(found.partitions)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a book: the Java clients' rule, murmur2 of the key, positive, modulo the count."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2, 32 bits, with Kafka's seed."""
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    found = 0x9747B28C ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * factor & mask
        k = (k ^ k >> 24) * factor & mask
        found = (found * factor & mask) ^ k
    if whole < length:
        found = (found ^ int.from_bytes(data[whole:], "little")) * factor & mask
    found = (found ^ found >> 13) * factor & mask
    return found ^ found >> 15


def unavailable(error: KafkaException, doing: str) -> LogUnavailable:
    """The cluster's error in our words."""
    return LogUnavailable(
        f"Kafka failed at {doing}: {error.args[0].str()}.", "Check DAYBOOK_KAFKA_BOOTSTRAP and the cluster."
    )


def at(topic: str, partition: int, offset: int) -> TopicPartition:
    """A place in a topic."""
    return TopicPartition(topic, partition, offset)

"""Where a site is in a Kafka cluster: its topics, the settings they need, and which partition a book is on.

A topic is made once, with its partition count; a wrong setting is refused with what would mend it, since each
of them is a way to lose or to double something. Nothing here may know what a record says.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from engine.errors import LogUnavailable, WrongUse
from engine.log.partitioning import Place, partition_of

__all__ = ["ANSWER_S", "MAX_BYTES", "Kafka", "Place", "at", "hear", "partition_of", "unavailable"]

MAX_BYTES: Final = 8 << 20
"""The largest record that the topics take."""
ANSWER_S: Final = 15.0
"""How long an answer of the cluster is waited for."""
TRANSACTION_MS: Final = 15_000
FRESH_S: Final = 60.0
"""For how long a refusal may be the reason of what fails; the client says it again each time it tries."""

_EVERYWHERE: Final[Mapping[str, Any]] = {
    "log_level": 4,  # warnings, which come out with our own lines
    "reconnect.backoff.max.ms": 1_000,  # of 10 s: a broker that is back is used at once
    "retry.backoff.ms": 10,  # 100 stalls on CONCURRENT_TRANSACTIONS (DESIGN 7)
    "socket.keepalive.enable": True,
    "enable.sparse.connections": False,  # else a new client waits 50 ms before its second connection
    "topic.metadata.refresh.interval.ms": 30_000,
}
LIBRARY: Final = logging.getLogger("librdkafka")
"""Where librdkafka says what it has to say: engine/logger.py lets it come out with our own lines."""
LIBRARY.addHandler(logging.NullHandler())

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
    "message.max.bytes": MAX_BYTES - (64 << 10),  # what the client takes, the broker takes with its framing
}


class Heard:
    """What a cluster's brokers said last of why they refuse us.

    librdkafka goes on trying for ever, and whoever waits is told only of a time-out, so it is kept for them.
    """

    def __init__(self) -> None:
        self._refusal = ""
        self._heard_at = 0.0

    @property
    def refusal(self) -> str:
        """What was heard within `FRESH_S`; what is older is not why anything fails now."""
        return self._refusal if time.monotonic() - self._heard_at < FRESH_S else ""

    def __call__(self, error: KafkaError) -> None:
        """Told by the client, of whatever befalls it."""
        if error.code() in _REFUSALS or "SSL routines" in error.str():  # an alert of TLS
            self._refusal, self._heard_at = error.str().strip(), time.monotonic()


_REFUSALS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - public names that begin with an underscore
        KafkaError._SSL,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)
READS_ON: Final = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001 - public names that begin with an underscore
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)
"""What reading by hand gets over: the client mends it by itself, or asks for a group that it does not use."""
_FORBIDDEN: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)
_MISSING: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    }
)


class Kafka(msgspec.Struct, frozen=True):
    """A site's place in a cluster.

    bootstrap: `host:port,...`.   prefix: what its topics' names begin with.
    options: librdkafka's settings for security, such as `security.protocol`, `ssl.*` and `sasl.*`.
    transaction_ms: how long the broker lets a transaction of a writer that went silent stand in the readers'
    way; the writer has lost it then.
    """

    bootstrap: str
    prefix: str = "daybook"
    options: dict[str, str] = {}
    transaction_ms: int = TRANSACTION_MS
    heard: Heard = msgspec.field(default_factory=Heard)

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

    @property
    def alerts(self) -> str:
        """What was noticed: for risk staff only."""
        return f"{self.prefix}.alerts"

    @property
    def topics(self) -> tuple[str, ...]:
        """All of them."""
        return self.commands, self.events, self.outcomes, self.alerts

    def settings(self, *more: Mapping[str, Any]) -> dict[str, Any]:
        """What every client is made with, and `more`."""
        made: dict[str, Any] = {"bootstrap.servers": self.bootstrap, **_EVERYWHERE}
        for one in more:
            made |= one
        return made | self.options | {"error_cb": self.heard}

    def consumer(self, **more: Any) -> Consumer:
        """A consumer of committed records, by hand and not by a group unless `more` says otherwise."""
        named = {name.replace("_", "."): value for name, value in more.items()}
        made = self.settings(_READING, {"group.id": f"{self.prefix}-nobody"}, named)
        with _made():
            return Consumer(made, logger=LIBRARY)

    def producer(self, **more: Any) -> Producer:
        """A producer that loses and doubles nothing by itself."""
        named = {name.replace("_", "."): value for name, value in more.items()}
        if "transactional.id" in named:
            named["transaction.timeout.ms"] = self.transaction_ms
        with _made():
            return Producer(self.settings(_WRITING, named), logger=LIBRARY)

    def admin(self) -> AdminClient:
        """For asking about, and making, topics."""
        with _made():
            return AdminClient(self.settings(), logger=LIBRARY)

    def brokers(self) -> int:
        """How many brokers the cluster has. Raises LogUnavailable."""
        admin = self.admin()
        try:
            return len(admin.list_topics(timeout=ANSWER_S).brokers)
        except KafkaException as error:
            hear(admin)
            raise unavailable(error, f"asking {self.bootstrap} for its brokers", self.heard) from error

    def partitions(self, topic: str, client: AdminClient | Producer | None = None) -> int:
        """How many partitions the topic has, 0 where there is no such topic. Raises LogUnavailable.

        client: one that is there already. Asking it has it connected, too: a producer that has no connection
        when it first wants its id from the cluster sleeps half a second before it looks again. Twice, since
        the first answer may come over the bootstrap connection, which then is given up.
        """
        asked = client or self.admin()
        try:
            if client is not None:
                asked.list_topics(topic, ANSWER_S)
            found = asked.list_topics(topic, ANSWER_S).topics.get(topic)
        except KafkaException as error:
            hear(asked)
            raise unavailable(error, f"asking {self.bootstrap} for {topic}", self.heard) from error
        if found is not None and found.error is not None and found.error.code() in _FORBIDDEN:
            raise unavailable(KafkaException(found.error), f"asking for {topic}")
        return 0 if found is None or found.error is not None else len(found.partitions)

    def epoch_id(self) -> str:
        """The ids of the commands and the events topic, by which a copy or a topic of the same name is told
        from them; empty where the broker gives topics no ids (before 2.8). Raises LogUnavailable.
        """
        admin = self.admin()  # what it has promised is broken when it is gone
        names = [self.commands, self.events]
        try:
            asked = admin.describe_topics(TopicCollection(names), request_timeout=ANSWER_S)
            ids = [asked[name].result().topic_id for name in names]
        except KafkaException as error:
            raise unavailable(
                error, f"asking {self.bootstrap} for the ids of {' and '.join(names)}"
            ) from error
        return "" if None in ids else "/".join(map(str, ids))


@contextlib.contextmanager
def _made() -> Iterator[None]:
    """Settings that the client refuses are somebody's DAYBOOK_KAFKA_OPTIONS."""
    try:
        yield
    except KafkaException as error:
        raise WrongUse(
            f"Kafka's client refuses its settings: {error.args[0].str()}.",
            "Set DAYBOOK_KAFKA_OPTIONS to what librdkafka's CONFIGURATION.md lists.",
        ) from error


def unavailable(error: KafkaException, doing: str, heard: Heard | None = None) -> LogUnavailable:
    """The cluster's error in our words.   heard: what its brokers said before, which often is the reason."""
    said: KafkaError = error.args[0]
    words = said.str().rstrip(".")
    if said.code() in _FORBIDDEN:
        return LogUnavailable(
            f"Kafka does not allow {doing}: {words}.",
            'Give this user the rights that docs/operations.md lists under "Who may do what in Kafka".',
        )
    if said.code() in _MISSING:
        return LogUnavailable(
            f"Kafka failed at {doing}: {words}.",
            "`daybook topics check` says which topic or partition is missing.",
        )
    if heard is not None and heard.refusal:
        return LogUnavailable(
            f"Kafka failed at {doing}: {words}. A broker was refused or refuses us: {heard.refusal}.",
            "Check DAYBOOK_KAFKA_BOOTSTRAP, and user, password and certificates in DAYBOOK_KAFKA_OPTIONS.",
        )
    return LogUnavailable(
        f"Kafka failed at {doing}: {words}.", "Check DAYBOOK_KAFKA_BOOTSTRAP and the cluster."
    )


def hear(client: AdminClient | Producer) -> None:
    """Have the client tell what it heard. A fatal error is told as an exception, to whoever asks anything."""
    with contextlib.suppress(KafkaException):
        client.poll(0)


def at(topic: str, partition: int, offset: int) -> TopicPartition:
    """A place in a topic."""
    return TopicPartition(topic, partition, offset)

"""Which Kafka a site uses, out of its settings. A module of its own, so that nobody else loads the client."""

from __future__ import annotations

from typing import Final

from engine.errors import NotInitialised, WrongUse
from engine.log.topics import Kafka
from engine.settings import Settings

OURS: Final = frozenset(
    {
        "acks",
        "allow.auto.create.topics",
        "auto.offset.reset",
        "bootstrap.servers",
        "delivery.timeout.ms",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "enable.partition.eof",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "isolation.level",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "max.poll.interval.ms",
        "message.max.bytes",
        "message.send.max.retries",
        "message.timeout.ms",
        "metadata.broker.list",
        "partition.assignment.strategy",
        "partitioner",
        "request.required.acks",
        "retries",
        "session.timeout.ms",
        "transaction.timeout.ms",
        "transactional.id",
    }
)
"""What exactly once rests on, by librdkafka's names and its other names for them: no deployment sets it."""


def kafka_of(settings: Settings) -> Kafka:
    """The site's place in its cluster. Raises NotInitialised where none is set, WrongUse where `OURS` is."""
    if settings.kafka_bootstrap is None:
        raise NotInitialised(
            "This home's log is in Kafka.", "Set DAYBOOK_KAFKA_BOOTSTRAP to host:port of it."
        )
    ours = sorted(OURS & settings.kafka_options.keys())
    if ours:
        raise WrongUse(
            f"DAYBOOK_KAFKA_OPTIONS sets {', '.join(ours)}, on which it rests that nothing gets lost.",
            "Leave it out: security is set there. What has a setting of its own is in docs/reference.md.",
        )
    return Kafka(
        settings.kafka_bootstrap,
        settings.topic_prefix,
        dict(settings.kafka_options),
        settings.transaction_ms,
    )

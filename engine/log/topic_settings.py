"""The topics of a site: made with the settings they need, and checked for them.

Each setting keeps something from being lost or doubled, so a wrong one is refused with what would mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.cimpl import NewTopic

from engine.log.topics import ANSWER_S, MAX_BYTES, Kafka, unavailable

PARTITIONS: Final = 32
REPLICATION: Final = 3

_KEEPING: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(MAX_BYTES),
    "unclean.leader.election.enable": "false",
    "compression.type": "producer",
}


def wanted(kafka: Kafka, replication: int) -> dict[str, dict[str, str]]:
    """Each topic's settings."""
    keeping = {**_KEEPING, "min.insync.replicas": str(max(1, replication - 1))}
    return {
        kafka.commands: {**keeping, "message.timestamp.type": "LogAppendTime"},
        kafka.events: {**keeping, "message.timestamp.type": "CreateTime"},
        kafka.outcomes: {**keeping, "message.timestamp.type": "CreateTime"},
    }


def create(kafka: Kafka, partitions: int = PARTITIONS, replication: int = REPLICATION) -> list[str]:
    """Make the topics that are missing; returns their names. Raises LogUnavailable."""
    topics = [
        NewTopic(name, partitions, replication, config=config)
        for name, config in wanted(kafka, replication).items()
    ]
    made = []
    admin = kafka.admin()  # what it has promised is broken when it is gone
    for name, done in admin.create_topics(topics, operation_timeout=ANSWER_S).items():
        try:
            done.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise unavailable(error, f"making the topic {name}") from error
        else:
            made.append(name)
    return made

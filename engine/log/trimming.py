"""Removing the oldest records of a partition, on purpose, once they are kept elsewhere."""

from __future__ import annotations

from confluent_kafka import KafkaException

from engine.log.topics import ANSWER_S, Kafka, at, unavailable


def remove_before(kafka: Kafka, partition: int, *, event: int, command: int) -> None:
    """Remove events before the offset `event` and commands before `command`, for ever.

    Whoever calls this has them in an archive. Raises LogUnavailable.
    """
    wanted = [at(kafka.events, partition, event), at(kafka.commands, partition, command)]
    admin = kafka.admin()  # what it has promised is broken when it is gone
    try:
        asked = admin.delete_records([one for one in wanted if one.offset > 0], request_timeout=ANSWER_S)
        for done in asked.values():
            done.result()
    except KafkaException as error:
        raise unavailable(
            error, f"removing old records of partition {partition} of {kafka.prefix}"
        ) from error

"""Whether anybody decides what is sent to a site on Kafka: what the cluster says of the engines' group.

The group says who is to decide a partition, not how far a new owner has read; a command waits in the log for
as long as that takes.
"""

from __future__ import annotations

from typing import Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException

from engine.errors import LogUnavailable
from engine.log.topics import ANSWER_S, Kafka, unavailable

ROLE: Final = "engine"
_FORBIDDEN: Final = frozenset({KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED})


class Engines:
    """The engines of a site, asked for over one connection."""

    def __init__(self, kafka: Kafka, answer_s: float = ANSWER_S) -> None:
        self.kafka = kafka
        self.group = f"{kafka.prefix}-{ROLE}"
        self._answer_s = answer_s
        self._admin = kafka.admin()

    def partitions(self) -> int | None:
        """How many partitions have an engine; None where the cluster does not tell. Raises LogUnavailable."""
        found = self._described()
        if found is None:
            return None
        members, _ = found
        return len({one for places in members for one in places})

    def members(self) -> int | None:
        """How many engines there are; None where the cluster does not tell. Raises LogUnavailable."""
        found = self._described()
        return None if found is None else len(found[0])

    def own_all(self) -> bool:
        """Whether every partition has an engine, as far as is known just now."""
        try:
            found = self._described()
            count = self.kafka.partitions(self.kafka.commands)
        except LogUnavailable:
            return False
        if found is None:
            return True
        members, stable = found
        return stable and len({one for places in members for one in places}) == count > 0

    def _described(self) -> tuple[list[set[int]], bool] | None:
        """Each member's partitions, and whether the group is at rest."""
        try:
            asked = self._admin.describe_consumer_groups([self.group], request_timeout=self._answer_s)
            found = asked[self.group].result()
        except KafkaException as error:
            told = error.args[0]
            if told.code() == KafkaError.GROUP_ID_NOT_FOUND:
                return [], True
            if told.code() in _FORBIDDEN:
                return None
            raise unavailable(error, f"asking for the group {self.group}") from error
        members = [
            {place.partition for place in one.assignment.topic_partitions}
            if one.assignment is not None
            else set()
            for one in found.members
        ]
        return members, found.state == ConsumerGroupState.STABLE

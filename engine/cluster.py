"""What a Kafka cluster says of a site: its brokers, the health of its topics, who has which partition, and
how far each role is. For people to look at; nothing that runs may depend on it.

Everything that is not answered is said as a problem, and what is answered is shown all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final, TypeVar

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

from engine.log.topics import Kafka

ANSWER_S: Final = 5.0
GROUPS: Final[Mapping[str, str]] = {
    "engine": "commands",
    "projector": "events",
    "follower": "events",
    "publisher": "events",
    "detection": "events",
}
"""The roles that share partitions by a group, and the topic that each is behind. A relay follows all of them
and is in none."""

T = TypeVar("T")
_NEWEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Topic(msgspec.Struct):
    """A topic's health. under: partitions with less in sync than there are replicas.   below: with less than
    a write needs.   without: that have no leader.
    """

    name: str
    partitions: int
    replication: int
    least_in_sync: int | None
    under: list[int]
    below: list[int]
    without: list[int]


class Member(msgspec.Struct):
    """A process in a group, and what it has."""

    id: str
    host: str
    partitions: list[int]


class Group(msgspec.Struct):
    """A role. state: as Kafka says it.   done: how far it says that it is, by partition: the offset to do
    next.   A group that was never joined has no members and nothing done.
    """

    role: str
    state: str
    members: list[Member]
    done: dict[int, int]

    def owner(self, partition: int) -> Member | None:
        """Who has the partition."""
        return next((one for one in self.members if partition in one.partitions), None)


class Cluster:
    """Asks, each question for itself. problems: what was not answered, in sentences."""

    def __init__(self, kafka: Kafka) -> None:
        self.kafka = kafka
        self.problems: list[str] = []
        self._admin: AdminClient = kafka.admin()

    def brokers(self) -> list[str] | None:
        """Which brokers there are; None where none answers, and then nothing else is to be asked."""
        try:
            found = self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException as error:
            self.problems.append(f"Kafka at {self.kafka.bootstrap} does not answer: {error.args[0].str()}.")
            return None
        return sorted(f"{one.host}:{one.port}" for one in found.brokers.values())

    def topics(self) -> list[Topic]:
        """The health of the site's topics; one that is not there is a problem."""
        found = self._said("the topics", lambda: self._admin.list_topics(timeout=ANSWER_S))
        topics = []
        for name in self.kafka.topics:
            one = found.topics.get(name) if found is not None else None
            if one is None or one.error is not None:
                if found is not None:
                    self.problems.append(f"There is no topic {name}.")
                continue
            least = self._least_in_sync(name)
            parts = one.partitions
            topic = Topic(
                name=name,
                partitions=len(parts),
                replication=max((len(part.replicas) for part in parts.values()), default=0),
                least_in_sync=least,
                under=[part for part in sorted(parts) if len(parts[part].isrs) < len(parts[part].replicas)],
                below=[part for part in sorted(parts) if len(parts[part].isrs) < (least or 0)],
                without=[part for part in sorted(parts) if parts[part].leader < 0],
            )
            topics.append(topic)
            if topic.without:
                self.problems.append(f"{name} has no leader for {_listed(topic.without)}.")
            elif topic.below:
                self.problems.append(f"{name} takes no writes on {_listed(topic.below)}: too few in sync.")
            elif topic.under:
                self.problems.append(f"{name} lacks replicas in sync on {_listed(topic.under)}.")
        return topics

    def group(self, role: str) -> Group:
        """Who is in the role's group, and how far it is."""
        name = f"{self.kafka.prefix}-{role}"
        group = Group(role, "unknown", [], {})
        described = self._said(
            f"the group {name}",
            lambda: _only(self._admin.describe_consumer_groups([name], request_timeout=ANSWER_S)),
        )
        if described is not None:
            group.state = described.state.name.lower()
            group.members = [
                Member(
                    one.member_id,
                    str(one.host or "").lstrip("/"),
                    sorted(place.partition for place in one.assignment.topic_partitions),
                )
                for one in described.members
            ]
        asked = ConsumerGroupTopicPartitions(name)
        reached = self._said(
            f"how far {name} is",
            lambda: _only(self._admin.list_consumer_group_offsets([asked], request_timeout=ANSWER_S)),
        )
        if reached is not None:
            group.done = {one.partition: one.offset for one in reached.topic_partitions if one.offset >= 0}
        return group

    def ends(self, topic: str, partitions: int) -> dict[int, int]:
        """The offset behind the last committed record of each partition that answers."""
        places = {TopicPartition(topic, one): _NEWEST for one in range(partitions)}
        asked = self._said(
            f"how far {topic} goes",
            lambda: self._admin.list_offsets(
                places, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_S
            ),
        )
        found = {}
        for place, future in (asked or {}).items():
            end = self._said(f"how far {topic}, partition {place.partition}, goes", future.result)
            if end is not None:
                found[place.partition] = end.offset
        return found

    def _least_in_sync(self, topic: str) -> int | None:
        asked = ConfigResource(ResourceType.TOPIC, topic)
        found = self._said(
            f"the settings of {topic}",
            lambda: _only(self._admin.describe_configs([asked], request_timeout=ANSWER_S)),
        )
        return int(found["min.insync.replicas"].value) if found is not None else None

    def _said(self, what: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except KafkaException as error:
            self.problems.append(f"Kafka does not say {what}: {error.args[0].str()}.")
            return None


def _only(futures: Mapping[Any, Future[Any]]) -> Any:
    (one,) = futures.values()
    return one.result(ANSWER_S)


def _listed(partitions: list[int]) -> str:
    return f"partition{'s' if len(partitions) > 1 else ''} {', '.join(map(str, partitions))}"

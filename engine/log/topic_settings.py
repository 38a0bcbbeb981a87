"""The topics of a site: made with the settings they need, and checked for them.

Each setting keeps something from being lost or doubled, so a wrong one is refused with what is wrong, why it
matters and the command that mends it. Nothing here changes a topic that is there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._metadata import TopicMetadata
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from engine.errors import DaybookError, LogUnavailable, WrongUse
from engine.log.topics import ANSWER_S, MAX_BYTES, Kafka, hear, unavailable

PARTITIONS: Final = 32
REPLICATION: Final = 3
MOST_PARTITIONS: Final = 100_000
"""What the client takes."""


class WrongTopics(DaybookError):
    """The topics are not as they must be."""

    advice = "`daybook topics check` says all of it."
    status = 2


class Problem(msgspec.Struct, frozen=True):
    """what: what is wrong with the topic.   why: what comes of it.   fix: the command, or what else to do."""

    topic: str
    what: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what}. {self.why} {self.fix}"


class Setting(msgspec.Struct, frozen=True):
    """A setting of a topic.   why: what another value would do.   at_least: whether more will do too."""

    value: str
    why: str
    at_least: bool = False

    def holds(self, found: str | None) -> bool:
        """Whether this value will do."""
        if not self.at_least or found is None:
            return found == self.value
        return int(found) >= int(self.value)


_KEPT: Final[Mapping[str, Setting]] = {
    "cleanup.policy": Setting(
        "delete", "Compaction removes all but a book's last record, and with it the history."
    ),
    "retention.ms": Setting(
        "-1", "Records that are removed by age cannot be replayed, verified or restored."
    ),
    "retention.bytes": Setting("-1", "Records that are removed for room cannot be replayed or verified."),
    "max.message.bytes": Setting(
        str(MAX_BYTES), "A page with a large event would be refused.", at_least=True
    ),
    "unclean.leader.election.enable": Setting(
        "false", "A broker that had fallen behind could take over, and what was acknowledged would be gone."
    ),
    "compression.type": Setting("producer", "Another one has brokers compress every page once more."),
}
_BY_APPENDING: Final = Setting(
    "LogAppendTime",
    "A wall book's time is when its command reached the log; a sender's own clock may say anything.",
)
_BY_CREATION: Final = Setting("CreateTime", "An event's time is that of the engine which decided it.")
_TIME = "message.timestamp.type"
_IN_SYNC = "min.insync.replicas"
Wanted = Callable[[Kafka, int], Mapping[str, Mapping[str, Setting]]]
"""Topics and their settings, where each is kept so many times."""


def wanted(kafka: Kafka, replication: int) -> dict[str, dict[str, Setting]]:
    """Each topic's settings."""
    in_sync = Setting(
        str(min(2, replication)),
        "A page that only one broker has is lost with that broker, though it was acknowledged.",
        at_least=True,
    )
    kept = {**_KEPT, _IN_SYNC: in_sync}
    return {
        kafka.commands: {**kept, _TIME: _BY_APPENDING},
        kafka.events: {**kept, _TIME: _BY_CREATION},
        kafka.outcomes: {**kept, _TIME: _BY_CREATION},
        kafka.alerts: {**kept, _TIME: _BY_CREATION},
    }


def create(
    kafka: Kafka,
    partitions: int = PARTITIONS,
    replication: int = REPLICATION,
    wanted: Wanted = wanted,
) -> list[str]:
    """Make the topics that are missing; returns their names when they can be used.

    wanted: which, with their settings; those of every site, unless told otherwise.
    Raises WrongUse where the cluster cannot have so many partitions or copies, LogUnavailable.
    """
    if not 1 <= partitions <= MOST_PARTITIONS:
        raise WrongUse(f"{partitions} partitions are not possible.", f"Take 1 to {MOST_PARTITIONS:,}.")
    brokers = kafka.brokers()  # asked first: making topics waits a minute for a cluster that is not there
    topics = [
        NewTopic(name, partitions, replication, config={key: one.value for key, one in settings.items()})
        for name, settings in wanted(kafka, replication).items()
    ]
    made = []
    admin = kafka.admin()  # what it has promised is broken when it is gone
    for name, done in admin.create_topics(topics, operation_timeout=ANSWER_S).items():
        try:
            done.result()
        except KafkaException as error:
            told: KafkaError = error.args[0]
            if told.code() == KafkaError.INVALID_REPLICATION_FACTOR:
                raise WrongUse(
                    f"{name} cannot be made: {told.str().rstrip('.')}.",
                    f"Start more brokers, or say --replication {max(1, min(brokers, replication))} "
                    "where a broker's end may stop it all.",
                ) from error
            if told.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise unavailable(error, f"making the topic {name}", kafka.heard) from error
        else:
            made.append(name)
    deadline = time.monotonic() + ANSWER_S
    while made and not _led(admin, made) and time.monotonic() < deadline:
        time.sleep(0.02)
    if made:
        _wait_until_known(kafka, admin, made, deadline)
    return made


def _wait_until_known(kafka: Kafka, admin: AdminClient, names: Sequence[str], deadline: float) -> None:
    """Until every broker knows the topics: who asks next may ask any of them."""
    for broker in admin.list_topics(timeout=ANSWER_S).brokers.values():
        there = msgspec.structs.replace(kafka, bootstrap=f"{broker.host}:{broker.port}")
        with contextlib.suppress(LogUnavailable):  # one that is down asks the others when it comes back
            while time.monotonic() < deadline and not all(there.partitions(name) for name in names):
                time.sleep(0.02)


def check(kafka: Kafka, partitions: int | None = None, wanted: Wanted = wanted) -> list[Problem]:
    """What is wrong with the topics; three requests, whatever their size.

    partitions: how many there must be, where that is recorded; else as many in each.
    wanted: which, with their settings. Raises LogUnavailable.
    """
    admin = kafka.admin()
    try:
        cluster = admin.list_topics(timeout=ANSWER_S)
    except KafkaException as error:
        hear(admin)
        raise unavailable(error, f"asking {kafka.bootstrap} for its topics", kafka.heard) from error
    found = {
        name: topic
        for name in wanted(kafka, 1)
        if (topic := cluster.topics.get(name)) is not None and topic.error is None
    }
    count = partitions or max((len(one.partitions) for one in found.values()), default=PARTITIONS)
    problems = []
    configs = _configs(admin, list(found))
    for name in wanted(kafka, 1):
        topic = found.get(name)
        if topic is None:
            problems.append(
                Problem(
                    name,
                    "there is no such topic",
                    "Nothing can be stored, or DAYBOOK_TOPIC_PREFIX is that of another site.",
                    f"daybook topics create --partitions {count}",
                )
            )
            continue
        problems += _partitions(kafka, topic, count)
        replication = min((len(one.replicas) for one in topic.partitions.values()), default=0)
        problems += _replicas(name, replication, len(cluster.brokers))
        for key, setting in wanted(kafka, replication)[name].items():
            value = configs[name].get(key)
            if not setting.holds(value):
                problems.append(
                    Problem(
                        name,
                        f"{key} is {value}, not {setting.value}",
                        setting.why,
                        f"kafka-configs.sh --bootstrap-server {kafka.bootstrap} --alter --entity-type topics "
                        f"--entity-name {name} --add-config {key}={setting.value}",
                    )
                )
    return problems


def ensure(kafka: Kafka, partitions: int | None = None) -> None:
    """Refuse to start on topics that lose or double something. Raises WrongTopics, LogUnavailable."""
    problems = check(kafka, partitions)
    if problems:
        more = f" And {len(problems) - 1} more: `daybook topics check`." if len(problems) > 1 else ""
        first = problems[0]
        raise WrongTopics(f"{first.topic}: {first.what}. {first.why}", f"Mend it: {first.fix}{more}")


def stalled(kafka: Kafka) -> list[Problem]:
    """Where readers stand before a transaction of somebody's that was not ended. Raises LogUnavailable."""
    stored, readable = (
        _ends(kafka, IsolationLevel.READ_UNCOMMITTED),
        _ends(kafka, IsolationLevel.READ_COMMITTED),
    )
    return [
        Problem(
            name,
            f"partition {number}: offsets from {readable[name, number]} on wait behind an open transaction",
            "Nobody can read them before it ends; a long one of a sender stops the engine.",
            f"kafka-transactions.sh --bootstrap-server {kafka.bootstrap} describe-producers --topic {name} "
            f"--partition {number}",
        )
        for (name, number), end in stored.items()
        if readable[name, number] < end
    ]


def _ends(kafka: Kafka, level: IsolationLevel) -> dict[tuple[str, int], int]:
    """The offset behind the last record of every partition, as a reader of that level has it."""
    admin = kafka.admin()
    deadline = time.monotonic() + ANSWER_S
    while True:
        try:
            topics = admin.list_topics(timeout=ANSWER_S).topics
            names = [name for name in kafka.topics if name in topics]
            asked = {
                TopicPartition(name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
                for name in names
                for number in topics[name].partitions
            }
            if not asked:
                return {}
            found = admin.list_offsets(asked, isolation_level=level, request_timeout=ANSWER_S)
            return {(place.topic, place.partition): done.result().offset for place, done in found.items()}
        except KafkaException as error:
            hear(admin)
            if error.args[0].code() not in _MOVING or time.monotonic() > deadline:
                raise unavailable(error, "asking how far the topics go", kafka.heard) from error
            time.sleep(0.1)


_MOVING: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
"""A leader is just being found, or the client has yet to hear of it."""


def _led(admin: AdminClient, names: Sequence[str]) -> bool:
    """Whether every partition has a leader that is known."""
    topics = admin.list_topics(timeout=ANSWER_S).topics
    return all(
        name in topics
        and topics[name].partitions
        and all(one.leader >= 0 for one in topics[name].partitions.values())
        for name in names
    )


def _configs(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    if not names:
        return {}
    asked = admin.describe_configs(
        [ConfigResource(ResourceType.TOPIC, name) for name in names], request_timeout=ANSWER_S
    )
    found = {}
    for resource, done in asked.items():
        try:
            found[resource.name] = {key: entry.value for key, entry in done.result().items()}
        except KafkaException as error:
            raise unavailable(error, f"asking for the settings of {resource.name}") from error
    return found


def _partitions(kafka: Kafka, topic: TopicMetadata, count: int) -> list[Problem]:
    found = len(topic.partitions)
    if found == count:
        return []
    why = "A book is on the partition that its name and the count give, so another count sends it elsewhere."
    delete = f"kafka-topics.sh --bootstrap-server {kafka.bootstrap} --delete --topic {topic.topic}"
    fix = (
        f"If it is empty: {delete}, then daybook topics create --partitions {count}; "
        "else restore it from a mirror."
    )
    return [Problem(str(topic.topic), f"it has {found} partitions, not {count}", why, fix)]


def _replicas(name: str, replication: int, brokers: int) -> list[Problem]:
    if replication >= min(REPLICATION, brokers):
        return []
    return [
        Problem(
            name,
            f"it is kept {replication} times, on {brokers} brokers",
            f"With fewer than {REPLICATION} copies a broker's end loses records or stops the engine.",
            f"Add replicas with kafka-reassign-partitions.sh, up to {REPLICATION} a partition.",
        )
    ]

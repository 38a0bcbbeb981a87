"""Which partitions are this process's: what the consumer group of its role says. It carries no data.

Engines, projectors, followers, relays and publishers share the partitions of a site by one group each,
`<prefix>-<role>`. Who reads and writes a partition does that with clients of its own, and only while it is
assigned here. The group is not the fence: a member that was given up for dead does not know it yet. Whoever
writes has a fence of its own (a transactional id, a guarded position).

The protocol is KIP-848, where the broker has it and lets a death be noticed within the session time that is
wanted, and else the classic one, cooperative and sticky. Both hand over one by one: a partition is only given
on after the one who had it has let it go. A broker's own settings want 45 s of KIP-848 (decision 0016).
"""

from __future__ import annotations

import itertools
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event as Told
from typing import Any, Final, Self

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from engine.errors import LogUnavailable, NotInitialised
from engine.log.topics import ANSWER_S, LIBRARY, Kafka, unavailable
from engine.settings import GroupProtocol

Partitions = Callable[[Sequence[int]], None]
"""Told which partitions were gained or lost; called by the thread that polls."""

SESSION_MS: Final = 10_000
BEAT_MS: Final = 5_000
"""The longest time between two signs of life in KIP-848; the broker's own, and as it comes its shortest."""
POLL_MS: Final = 300_000
"""Who does not poll for so long gives its partitions back, whatever it hangs at."""


class _Question:
    """Whether a partition is still ours, until the coordinator has answered."""

    def __init__(self) -> None:
        self.answered = Told()
        self.yes = False


class Membership:
    """A member of the group of a role. Whoever made it polls it, from one thread, at least once a minute.

    topic: whose partitions are shared; the commands where none is given.   session_ms: after how long of
    silence a member counts as dead.   protocol: `auto` takes what the broker has.

    gained: these are ours from now on.   lost: these are ours no more when this returns, or, where they were
    taken from us in our absence, are already another's; it must return within `session_ms`.
    """

    def __init__(
        self,
        kafka: Kafka,
        role: str,
        gained: Partitions,
        lost: Partitions,
        *,
        topic: str | None = None,
        session_ms: int = SESSION_MS,
        protocol: GroupProtocol = "auto",
    ) -> None:
        """Joins. Raises LogUnavailable where the cluster does not answer, NotInitialised without a topic."""
        self.kafka = kafka
        self.group = f"{kafka.prefix}-{role}"
        self.topic = topic or kafka.commands
        self.owned: set[int] = set()
        self._to_commit: deque[TopicPartition] = deque()
        self._questions: dict[str, _Question] = {}
        self._tokens = itertools.count()
        self._gained = gained
        self._lost = lost
        self.partitions = kafka.partitions(self.topic)
        if not self.partitions:
            raise NotInitialised(
                f"There is no topic {self.topic} at {kafka.bootstrap}.",
                "Run `daybook init --log kafka`, or check DAYBOOK_TOPIC_PREFIX.",
            )
        self.protocol = protocol_of(kafka, self.group, session_ms) if protocol == "auto" else protocol
        self._consumer = Consumer(
            kafka.settings(
                {
                    "group.id": self.group,
                    "client.id": f"{role}@{socket.gethostname()}:{os.getpid()}",
                    "enable.auto.commit": False,
                    "on_commit": self._on_commit,
                    "max.poll.interval.ms": max(POLL_MS, session_ms),
                },
                _PROTOCOLS[self.protocol](session_ms),
            ),
            logger=LIBRARY,
        )
        self._consumer.subscribe(
            [self.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def poll(self, wait_s: float) -> None:
        """Take part in the group; `gained` and `lost` are called from here. Raises LogUnavailable.

        A cluster that is away is waited for: what is ours stays ours until somebody says otherwise.
        """
        while self._to_commit:
            self._commit(self._to_commit.popleft())
        message = self._consumer.poll(wait_s)
        error = message.error() if message is not None else None
        if error is not None and (error.fatal() or error.code() in _REFUSED):
            raise unavailable(KafkaException(error), f"joining the group {self.group}")

    def confirmed(self, partition: int, position: int = 0) -> bool:
        """Whether the group's coordinator counts this member, as of now, as one that may have the partition.

        position: the offset that is to be done next, which lag monitors read. From another thread than the
        one that polls. An answer is waited for, so a member that was given up while it was away learns it
        here before it claims anything.
        """
        if partition not in self.owned:
            return False
        question = _Question()
        token = f"{next(self._tokens)}"
        self._questions[token] = question
        self._to_commit.append(TopicPartition(self.topic, partition, position, token))
        question.answered.wait(ANSWER_S)
        self._questions.pop(token, None)
        return question.yes and partition in self.owned

    def report(self, partition: int, position: int) -> None:
        """Say how far a partition is done, for lag monitors only; nothing waits for it. From any thread."""
        self._to_commit.append(TopicPartition(self.topic, partition, position))

    def close(self) -> None:
        """Let go of every partition and leave, so that others have them at once."""
        self._consumer.close()
        if self.owned:  # the cluster was away, and could not be told
            self._let_go(sorted(self.owned))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _commit(self, place: TopicPartition) -> None:
        """In the thread that polls, since the client is locked for as long as a poll waits."""
        try:
            self._consumer.commit(offsets=[place], asynchronous=True)
        except (KafkaException, RuntimeError):
            self._answer(place, yes=False)

    def _on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        for place in places:
            self._answer(place, yes=error is None and place.error is None)

    def _answer(self, place: TopicPartition, *, yes: bool) -> None:
        question = self._questions.pop(place.metadata or "", None)
        if question is not None:
            question.yes = yes
            question.answered.set()

    def _on_assign(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        if not given:
            return
        for one in given:
            one.offset = OFFSET_END  # that a fetch which was under way brings nothing
        consumer.incremental_assign(given)
        consumer.pause(given)
        new = sorted(one.partition for one in given)
        self.owned.update(new)
        self._gained(new)

    def _on_revoke(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        self._let_go(sorted(one.partition for one in taken))
        if taken:
            consumer.incremental_unassign(taken)

    def _let_go(self, taken: Sequence[int]) -> None:
        mine = [one for one in taken if one in self.owned]
        self.owned.difference_update(mine)
        if mine:
            self._lost(mine)


def protocol_of(kafka: Kafka, group: str, session_ms: int) -> GroupProtocol:
    """What the broker has: KIP-848, if it takes the session time for the group, or else the classic one.

    That the settings are taken says it all: an older broker, or one without the protocol, knows no settings
    of groups; and who may not make them cannot have their session time either. Heartbeats must fit in a
    session several times, so that one that is lost kills nobody; partitions are handed over by them, too.
    """
    wanted = {
        "consumer.session.timeout.ms": session_ms,
        "consumer.heartbeat.interval.ms": min(BEAT_MS, session_ms // 5),
    }
    entries = [
        ConfigEntry(name, str(value), incremental_operation=AlterConfigOpType.SET)
        for name, value in wanted.items()
    ]
    resource = ConfigResource(ResourceType.GROUP, group, incremental_configs=entries)
    admin = kafka.admin()  # what it has promised is broken when it is gone
    try:
        for done in admin.incremental_alter_configs([resource], request_timeout=ANSWER_S).values():
            done.result()
    except KafkaException as error:
        if error.args[0].code() in _SILENT:
            raise LogUnavailable(
                f"Kafka at {kafka.bootstrap} does not answer: {error.args[0].str()}.",
                "Check DAYBOOK_KAFKA_BOOTSTRAP and the cluster.",
            ) from error
        return "classic"
    return "consumer"


def _classic(session_ms: int) -> dict[str, Any]:
    return {
        "group.protocol": "classic",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": max(200, min(3_000, session_ms // 5)),
    }


def _consumer(session_ms: int) -> dict[str, Any]:
    """The session time is the group's own setting on the broker."""
    return {"group.protocol": "consumer"}


_PROTOCOLS: Final[dict[GroupProtocol, Callable[[int], dict[str, Any]]]] = {
    "classic": _classic,
    "consumer": _consumer,
}
_SILENT: Final = frozenset({KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})  # noqa: SLF001 - public names
_REFUSED: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - a public name that begins with an underscore
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.GROUP_MAX_SIZE_REACHED,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError.INVALID_SESSION_TIMEOUT,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
    }
)
"""What trying again would not mend."""

"""The client of engines on Kafka: writes commands into the log and reads their outcomes from the events.

An outcome is known by the place of its command: the events with that `cause`, in the partition of the same
number. What an engine does meanwhile (it dies, another takes over, the group moves the partition) only makes
the outcome later. Where none comes in time the commands stay in the log and will be decided, so whoever sent
them sends the same ids again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Final, Self

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from engine.errors import EngineUnreachable, OutcomeUnknown, WrongUse
from engine.log.kafka import KafkaCommands
from engine.log.records import LINK, Out
from engine.log.topics import ANSWER_S, MAX_BYTES, READS_ON, Kafka, at, partition_of, unavailable
from engine.pipeline import Answer

AT_ONCE: Final = 20_000
"""Commands that wait for their outcomes at the same time."""
SLICE_S: Final = 0.1
TIMEOUT_S: Final = 60.0


class _Cause(msgspec.Struct):
    cause: int = -1


_cause_of = msgspec.json.Decoder(_Cause).decode


class KafkaClient:
    """Sends commands and waits for their outcomes. Callable from any thread: one call at a time.

    timeout_s: how long outcomes are waited for.
    """

    def __init__(self, kafka: Kafka, timeout_s: float = TIMEOUT_S) -> None:
        """Raises LogUnavailable."""
        self.kafka = kafka
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._sender = KafkaCommands(kafka)
        self._count = kafka.partitions(kafka.commands)
        self._consumer: Consumer | None = None

    def submit(self, commands: Sequence[Out]) -> list[Answer]:
        """Each command's outcome, in their order, durable when this returns.

        Raises LogUnavailable or WrongUse (nothing was sent), or OutcomeUnknown.
        """
        if not self._count:
            raise EngineUnreachable(
                f"There is no topic {self.kafka.commands} at {self.kafka.bootstrap}.",
                "Run `daybook init --log kafka`.",
            )
        for number, out in enumerate(commands):
            if len(out.key) + len(out.value) > MAX_BYTES - 4096:
                raise WrongUse(
                    f"Command {number + 1} has {len(out.value):,} bytes, and the log takes {MAX_BYTES:,}.",
                    "Send it in parts.",
                )
        answers: list[Answer] = []
        with self._lock:
            for start in range(0, len(commands), AT_ONCE):
                try:
                    answers += self._round(commands[start : start + AT_ONCE])
                except OutcomeUnknown as error:
                    if not answers:
                        raise
                    raise OutcomeUnknown(
                        f"{len(answers):,} of {len(commands):,} were answered, then: {error.what}",
                        error.advice,
                    ) from error
        return answers

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            if self._consumer is not None:
                self._consumer.close()
                self._consumer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _round(self, commands: Sequence[Out]) -> list[Answer]:
        consumer = self._from_here(sorted({partition_of(out.key, self._count) for out in commands}))
        places = self._sender.send(commands)
        waiting = _Waiting(places)
        deadline = time.monotonic() + self.timeout_s
        while waiting.left:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise OutcomeUnknown(
                    f"{waiting.left:,} of {len(commands):,} commands are stored, and no outcome came within "
                    f"{self.timeout_s:.0f} s.",
                    "See that an engine runs and owns the partition (`daybook up`). The commands are decided "
                    "when it does; the same ids, sent again, get the same outcomes.",
                )
            first = consumer.poll(min(SLICE_S, left_s))
            if first is not None:
                waiting.take([first, *consumer.consume(AT_ONCE, 0)])
        return waiting.answers()

    def _from_here(self, partitions: Iterable[int]) -> Consumer:
        """A consumer of the events that come from now on. Where the outcomes will stand is known before the
        commands are sent: what is committed by now answers other commands.
        """
        if self._consumer is None:
            self._consumer = self.kafka.consumer()
        consumer, topic = self._consumer, self.kafka.events
        try:
            ends = [
                (partition, consumer.get_watermark_offsets(at(topic, partition, 0), ANSWER_S))
                for partition in partitions
            ]
            consumer.assign([at(topic, partition, found[1]) for partition, found in ends])
        except (KafkaException, TypeError) as error:
            if isinstance(error, KafkaException):
                raise unavailable(error, f"asking how far {topic} goes") from error
            raise EngineUnreachable(f"Kafka did not say how far {topic} goes; nothing was sent.") from error
        return consumer


class _Waiting:
    """Commands that were sent, and what has come of them."""

    def __init__(self, places: Sequence[tuple[int, int]]) -> None:
        self._places = places
        self._open: dict[tuple[int, int], list[bytes]] = {place: [] for place in places}
        self._done: set[tuple[int, int]] = set()
        self._begun: dict[int, tuple[int, int]] = {}
        """By partition: whose outcome the newest event belonged to, while it may go on."""

    @property
    def left(self) -> int:
        """How many have no outcome yet."""
        return len(self._open) - len(self._done)

    def take(self, messages: Iterable[Message]) -> None:
        """Events in the order of each partition. An outcome is whole when another begins or its page ends."""
        for message in messages:
            error = message.error()
            if error is not None:
                _passing(error)
                continue
            partition, value = message.partition() or 0, message.value() or b""
            place = partition, _cause_of(value).cause
            begun = self._begun.pop(partition, None)
            if begun is not None and begun != place:
                self._done.add(begun)
            if place in self._open and place not in self._done:
                self._open[place].append(value)
                if any(header[0] == LINK for header in message.headers() or ()):
                    self._done.add(place)
                else:
                    self._begun[partition] = place

    def answers(self) -> list[Answer]:
        """Every outcome, in the order in which the commands were sent."""
        return [tuple(self._open[place]) for place in self._places]


def _passing(error: KafkaError) -> None:
    """What reading gets over by itself is no matter; anything else leaves the outcomes unknown."""
    code = error.code()
    if code == KafkaError._PARTITION_EOF or code in READS_ON:  # noqa: SLF001 - that is its public name
        return
    if not error.retriable():
        raise OutcomeUnknown(f"The commands are stored, but their outcomes cannot be read: {error.str()}.")

"""Where commands go in, in Kafka: whoever sends them needs no engine, and hears when they are stored.

What became of them is in the events; a command that is perhaps stored is sent again with the same id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message

from engine.errors import OutcomeUnknown, WrongLog
from engine.log.partitioning import partition_of
from engine.log.records import Out
from engine.log.topics import Kafka

DELIVERY_MS: Final = 30_000
"""How long a command that is sent may take to be stored."""
POLL_S: Final = 0.005
"""How long a sender looks for answers before it looks whether another thread has met its own."""


class KafkaCommands:
    """`CommandLog` over the commands topic.   partition: where all go; by their key, if None is given."""

    def __init__(self, kafka: Kafka, partition: int | None = None) -> None:
        """Raises LogUnavailable, WrongLog where there is no such topic."""
        self.kafka = kafka
        self._partition = partition
        self._producer = kafka.producer(
            linger_ms=2, delivery_timeout_ms=DELIVERY_MS, partitioner="murmur2_random"
        )
        self._partitions = 0
        if partition is None:
            self._partitions = kafka.partitions(kafka.commands, self._producer)
            if not self._partitions:
                raise WrongLog(f"There is no topic {kafka.commands}.", "`daybook topics create` makes it.")

    def submit(self, commands: Sequence[Out]) -> list[int]:
        """Each command's offset in its partition, in their order, when all are stored.

        Raises OutcomeUnknown: some may be stored. They are not atomic: the contract asks no such thing.
        """
        return [offset for _, offset in self.send(commands)]

    def send(self, commands: Sequence[Out]) -> list[tuple[int, int]]:
        """Each command's partition and offset."""
        sent = _Sent(len(commands))
        deadline = time.monotonic() + DELIVERY_MS / 1_000 + 5.0  # the client gives up before we do
        problem = ""
        for number, out in enumerate(commands):
            problem = self._produce(number, out, sent, deadline)
            if problem:
                with sent.lock:
                    sent.left -= len(commands) - number  # these were never sent
                break
        # Not `flush`, which would wait for what other threads send meanwhile, as long as they go on.
        while sent.left > 0 and not problem and time.monotonic() < deadline:
            problem = self._look()
        problem = problem or sent.problem or ("no answer came" if sent.left > 0 else "")
        if problem:
            stored = sum(1 for _, offset in sent.places if offset >= 0)
            raise OutcomeUnknown(
                f"Of {len(commands)} commands {stored} are stored and the others perhaps not: {problem}."
            )
        return sent.places

    def _produce(self, number: int, out: Out, sent: _Sent, deadline: float) -> str:
        """Hand one to the client, when it has room. What went wrong, empty if nothing."""
        partition = partition_of(out.key, self._partitions) if self._partition is None else self._partition
        while True:
            try:
                self._producer.produce(
                    self.kafka.commands,
                    out.value,
                    out.key,
                    partition,
                    on_delivery=partial(sent.told, number),
                    headers=list(out.headers) if out.headers else None,
                )
            except BufferError as error:
                problem = self._look()
                if problem or time.monotonic() > deadline:
                    return problem or str(error)
            except KafkaException as error:
                return str(error.args[0].str())
            else:
                return ""

    def _look(self) -> str:
        """Hear the answers of a moment. What ended the client, told to whoever polls; empty if none."""
        try:
            self._producer.poll(POLL_S)
        except KafkaException as error:
            return str(error.args[0].str())
        return ""

    def close(self) -> None:
        """Give the connections back: `send` has waited for all that it sent."""
        self._producer.purge(blocking=False)


class _Sent:
    """What has become of the commands of one `send`; told from whichever thread polls."""

    def __init__(self, count: int) -> None:
        self.places: list[tuple[int, int]] = [(-1, -1)] * count
        self.problem = ""
        self.left = count
        self.lock = threading.Lock()

    def told(self, number: int, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.problem = error.str()
        else:
            self.places[number] = message.partition() or 0, message.offset() or 0
        with self.lock:
            self.left -= 1

"""The log in Kafka: a partition of two topics, written by transactions, one a commit.

The fence is the producer's transactional id, `<prefix>-engine-<partition>`: who opens the log for writing has
ended what another was writing, and made all its later commits fail. The events are the position; no offsets
are part of a transaction. After `Uncertain` or `Fenced` nothing here can be used any more: open it again.
Which process may open which partition is the group's business (`engine/membership.py`), not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self

from confluent_kafka import KafkaError, KafkaException, Producer

from engine.errors import DaybookError, EngineStopped, Fenced, OutcomeUnknown, Uncertain
from engine.log.records import Out, Record
from engine.log.tail import Tail
from engine.log.topics import Kafka, partition_of, unavailable

COMMIT_S: Final = 30.0
"""How long a commit may take before it is uncertain."""
TRANSACTION_MS: Final = 15_000
"""How long the broker lets a transaction of a writer that went silent stand in the readers' way."""
CLAIM_S: Final = 60.0

_FENCING: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - public names that begin with an underscore
        KafkaError._FATAL,  # noqa: SLF001
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_TXN_STATE,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)


class KafkaLog:
    """`BookLog` over one partition; as a writer also `CommandLog`, for who embeds an engine."""

    def __init__(self, kafka: Kafka, partition: int = 0, *, writer: bool = False) -> None:
        """As a writer, fences every other one. Raises LogUnavailable."""
        self.kafka = kafka
        self.partition = partition
        self._commands = Tail(kafka, kafka.commands, partition)
        self._events = Tail(kafka, kafka.events, partition)
        self._over: DaybookError | None = None
        self._sender: KafkaCommands | None = None
        self._producer = self._claim() if writer else None

    def _claim(self) -> Producer:
        producer = self.kafka.producer(
            transactional_id=f"{self.kafka.prefix}-engine-{self.partition}",
            transaction_timeout_ms=TRANSACTION_MS,
        )
        try:
            producer.init_transactions(CLAIM_S)
        except KafkaException as error:
            raise unavailable(error, f"claiming partition {self.partition} of {self.kafka.events}") from error
        # What another had committed is there by now; what it had not is aborted.
        self._events.reach_end()
        return producer

    # --- BookLog --------------------------------------------------------------------------------------

    def events(self, after: int) -> Iterator[Record]:
        """See `BookLog.events`."""
        return self._events.all(after)

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        """See `BookLog.commands`; they are stored before they are decided."""
        return self._commands.read(after, limit, wait_s)

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        """See `BookLog.commit`. `through` is in the events: what they answer is the position."""
        self.begin_commit(events, through, time_ms)()

    def begin_commit(self, events: Sequence[Out], through: int, time_ms: int) -> Callable[[], None]:
        """Hand the page over; what is returned makes it durable, or raises, once, in any thread."""
        producer = self._producer
        assert producer is not None, "a reader of the log never writes"
        if self._over is not None:
            raise self._over
        if not events:
            return _nothing
        topic, partition, produce = self.kafka.events, self.partition, producer.produce
        try:
            producer.begin_transaction()
            for out in events:
                produce(
                    topic,
                    out.value,
                    out.key,
                    partition,
                    timestamp=time_ms,
                    headers=list(out.headers) if out.headers else None,
                )
        except (KafkaException, BufferError) as error:
            raise self._end(_failure(error, self.partition)) from error

        def finish() -> None:
            try:
                producer.commit_transaction(COMMIT_S)
            except KafkaException as error:
                raise self._end(_failure(error, self.partition)) from error

        return finish

    def wake(self) -> None:
        """See `BookLog.wake`."""
        self._commands.wake()

    def close(self) -> None:
        """See `BookLog.close`. Commands that wait stay in the log."""
        self._over = self._over or EngineStopped("The log was closed.")
        self._commands.close()
        self._events.close()
        if self._sender is not None:
            self._sender.close()
        self._producer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, why: DaybookError) -> DaybookError:
        self._over = why
        return why

    # --- CommandLog -----------------------------------------------------------------------------------

    def submit(self, commands: Sequence[Out]) -> Sequence[int]:
        """See `CommandLog.submit`, for an engine that is embedded."""
        assert self._producer is not None, "a reader of the log never writes"
        if self._over is not None:
            raise EngineStopped(self._over.what)
        if self._sender is None:
            self._sender = KafkaCommands(self.kafka, self.partition)
        return self._sender.submit(commands)

    # --- for followers --------------------------------------------------------------------------------

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """Waits until an event behind `after` is stored. False on time-out."""
        return self._events.wait(after, timeout_s)

    def last_event_offset(self) -> int:
        """Offset of the last stored event, -1 before the first."""
        return self._events.last()

    def last_command_offset(self) -> int:
        """Offset of the last stored command, -1 before the first."""
        return self._commands.last()


class KafkaCommands:
    """`CommandLog` over the commands topic.   partition: where all go; by their key, if None is given."""

    def __init__(self, kafka: Kafka, partition: int | None = None) -> None:
        self.kafka = kafka
        self._partition = partition
        self._partitions = kafka.partitions(kafka.commands) if partition is None else 0
        self._producer = kafka.producer(linger_ms=2, delivery_timeout_ms=30_000, partitioner="murmur2_random")

    def submit(self, commands: Sequence[Out]) -> list[int]:
        """Each command's offset in its partition, in their order, when all are stored.

        Raises OutcomeUnknown: some may be stored. They are not atomic: the contract asks no such thing.
        """
        return [offset for _, offset in self.send(commands)]

    def send(self, commands: Sequence[Out]) -> list[tuple[int, int]]:
        """Each command's partition and offset."""
        producer, topic = self._producer, self.kafka.commands
        places: list[tuple[int, int]] = [(-1, -1)] * len(commands)
        failed: list[KafkaError] = []

        for number, out in enumerate(commands):

            def stored(error: KafkaError | None, message: object, number: int = number) -> None:
                if error is not None:
                    failed.append(error)
                else:
                    places[number] = message.partition(), message.offset()  # type: ignore[attr-defined]

            try:
                producer.produce(
                    topic,
                    out.value,
                    out.key,
                    partition_of(out.key, self._partitions) if self._partition is None else self._partition,
                    on_delivery=stored,
                    headers=list(out.headers) if out.headers else None,
                )
            except (KafkaException, BufferError) as error:
                producer.flush(30)
                raise OutcomeUnknown(
                    f"Only {number} of {len(commands)} commands were sent: {error}."
                ) from error
        left = producer.flush(35)
        if failed or left:
            why = failed[0].str() if failed else "no answer came"
            raise OutcomeUnknown(
                f"{len(failed) + left} of {len(commands)} commands were perhaps not stored: {why}."
            )
        return places

    def close(self) -> None:
        """Nothing is left: `send` waits for all."""


def _nothing() -> None:
    """There is nothing to be made durable."""


def _failure(error: Exception, partition: int) -> DaybookError:
    """What a failed commit means. Who does not know whether it happened says so."""
    told = error.args[0] if error.args else None
    if isinstance(told, KafkaError) and (told.code() in _FENCING or told.fatal()):
        return Fenced(f"Partition {partition} belongs to another writer: {told.str()}.")
    return Uncertain(f"A commit to partition {partition} was not acknowledged: {error}.")

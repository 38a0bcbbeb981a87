"""The log in Kafka: a partition of two topics, written by transactions, one a commit.

The fence is the producer's transactional id, `<prefix>-engine-<partition>`: who opens the log for writing has
ended what another was writing, and made all its later commits fail. The events are the position; no offsets
are part of a transaction. After `Uncertain` or `Fenced` nothing here can be used any more: open it again.
Which process may open which partition is the group's business (`engine/membership.py`), not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, Self

from confluent_kafka import KafkaError, KafkaException, Producer

from engine.errors import (
    DaybookError,
    EngineStopped,
    Fenced,
    LogUnwritable,
    Uncertain,
    WrongLog,
)
from engine.log.kafka_commands import KafkaCommands
from engine.log.partitioning import Place
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.log.tail import Tail
from engine.log.topics import Kafka, unavailable

__all__ = ["KafkaCommands", "KafkaLog"]

COMMIT_S: Final = 30.0
"""How long a commit may take before it is uncertain."""
TRANSACTION_MS: Final = 15_000
"""How long the broker lets a transaction of a writer that went silent stand in the readers' way."""
CLAIM_S: Final = 60.0

_FENCING: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - public names that begin with an underscore
        KafkaError._FATAL,  # noqa: SLF001 - its own flag may say False, so the code counts too
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_TXN_STATE,
        KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)
_UNWRITABLE: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE: "Raise max.message.bytes of the topic (`daybook topics check`).",
    **dict.fromkeys(
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        'Give the engine the rights that docs/operations.md lists under "Who may do what in Kafka".',
    ),
    **dict.fromkeys(
        (KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND),
        "Start the brokers that are down: fewer replicas are in step than min.insync.replicas asks for.",
    ),
}
"""What stands in a page's way until somebody mends it, and how."""


class KafkaLog:
    """`BookLog` over one partition; as a writer also `CommandLog`, for who embeds an engine."""

    def __init__(self, kafka: Kafka, partition: int = 0, *, writer: bool = False) -> None:
        """As a writer, fences every other one. Raises LogUnavailable, WrongLog where there is no such topic
        or partition.
        """
        self.kafka = kafka
        self.partition = partition
        self._commands = Tail(kafka, kafka.commands, partition)
        self._events = Tail(kafka, kafka.events, partition)
        self._over: DaybookError | None = None
        self._position = BEFORE_FIRST
        producer = self._writer() if writer else None
        self.place = Place(partition, self._partitions(producer))
        self._producer = producer
        self._sender: KafkaCommands | None = None
        if producer is not None:
            self._claim(producer)
            self._sender = KafkaCommands(kafka, partition)

    def _writer(self) -> Producer:
        return self.kafka.producer(
            transactional_id=f"{self.kafka.prefix}-engine-{self.partition}",
            transaction_timeout_ms=TRANSACTION_MS,
        )

    def _partitions(self, client: Producer | None) -> int:
        """How many partitions the events have."""
        count = self.kafka.partitions(self.kafka.events, client)
        if self.partition >= count:
            raise WrongLog(
                f"{self.kafka.events} has no partition {self.partition}"
                + (f": it has {count}." if count else ": there is no such topic."),
                "`daybook topics check` says what is wrong with the topics.",
            )
        return count

    def _claim(self, producer: Producer) -> None:
        try:
            producer.init_transactions(CLAIM_S)
        except KafkaException as error:
            producer.poll(0)  # so that what was heard is told
            raise unavailable(
                error, f"claiming partition {self.partition} of {self.kafka.events}", self.kafka.heard
            ) from error
        # What another had committed is there by now; what it had not is aborted.
        self._events.reach_end()

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
        if self._over is not None:
            raise self._over
        assert producer is not None, "a reader of the log never writes"
        assert through >= self._position, "the position never moves back"
        if not events:
            self._position = through
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
        self._position = through

        def finish() -> None:
            try:
                producer.commit_transaction(COMMIT_S)
                producer.poll(0)  # gives out what the library has to say
            except KafkaException as error:
                raise self._end(_failure(error, self.partition)) from error

        return finish

    def wake(self) -> None:
        """See `BookLog.wake`."""
        self._commands.wake()

    def close(self) -> None:
        """See `BookLog.close`. Commands that wait stay in the log. It waits for no broker."""
        self._over = self._over or EngineStopped("The log was closed.")
        self._commands.close()
        self._events.close()
        self._drop()

    def _drop(self) -> None:
        """Let the producer go with whatever it holds: the next claim aborts what it had begun."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(blocking=False)
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end(self, why: DaybookError) -> DaybookError:
        self._over = why
        self._drop()
        return why

    # --- CommandLog -----------------------------------------------------------------------------------

    def submit(self, commands: Sequence[Out]) -> Sequence[int]:
        """See `CommandLog.submit`, for an engine that is embedded. Some may be stored where it fails."""
        sender = self._sender
        if self._over is not None:
            raise EngineStopped(self._over.what)
        assert sender is not None, "a reader of the log never writes"
        return sender.submit(commands)

    def epoch_id(self) -> str:
        """The name of where this log is kept: the ids of its topics, which no other topic ever has."""
        return self.kafka.epoch_id()

    # --- for followers --------------------------------------------------------------------------------

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """Waits until an event behind `after` is stored. False on time-out."""
        return self._events.wait(after, timeout_s)

    def commands_behind(self, after: int) -> int:
        """About how many commands wait behind `after`; see `Tail.behind`."""
        return self._commands.behind(after)

    def events_behind(self, after: int) -> int:
        """About how many events are behind `after`; see `Tail.behind`."""
        return self._events.behind(after)

    def first_offset(self, kind: Literal["events", "commands"]) -> int:
        """The offset that what is kept of them begins at."""
        return (self._events if kind == "events" else self._commands).watermarks()[0]

    def last_event_offset(self) -> int:
        """Offset of the last stored event, -1 before the first."""
        return self._events.last()

    def last_command_offset(self) -> int:
        """Offset of the last stored command, -1 before the first."""
        return self._commands.last()


def _nothing() -> None:
    """There is nothing to be made durable."""


def _failure(error: Exception, partition: int) -> DaybookError:
    """What a failed commit means. Who does not know whether it happened says so."""
    told = error.args[0] if error.args else None
    if isinstance(told, KafkaError):
        if told.code() in _FENCING or told.fatal():
            return Fenced(f"Partition {partition} has no place for this writer any more: {told.str()}.")
        advice = _UNWRITABLE.get(told.code())
        if advice is not None:
            return LogUnwritable(f"A page of partition {partition} was refused: {told.str()}.", advice)
    return Uncertain(f"A commit to partition {partition} was not acknowledged: {error}.")

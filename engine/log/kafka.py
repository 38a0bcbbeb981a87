"""The log in Kafka: a partition of two topics, written by transactions, one a commit.

The fence is the producer's transactional id, `<prefix>-engine-<partition>`: who opens the log for writing has
ended what another was writing, and made all its later commits fail. The events are the position; no offsets
are part of a transaction. After `Uncertain` or `Fenced` nothing here can be used any more: open it again.
Which process may open which partition is the group's business (`engine/membership.py`), not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Self

from confluent_kafka import Producer

from engine.errors import EngineStopped, WrongLog
from engine.log.kafka_commands import KafkaCommands
from engine.log.partitioning import Place
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.log.tail import Tail
from engine.log.topic_writer import TopicWriter
from engine.log.topics import Kafka

__all__ = ["KafkaCommands", "KafkaLog"]


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
        self._position = BEFORE_FIRST
        self._sender: KafkaCommands | None = None
        claims = TopicWriter(kafka, kafka.events, partition, "engine") if writer else None
        self._writer = claims
        self.place = Place(partition, self._partitions(None if claims is None else claims.producer))
        if claims is not None:
            claims.claim(self._events)
            self._sender = KafkaCommands(kafka, partition)

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
        writer = self._writer
        assert writer is not None, "a reader of the log never writes"
        if writer.over is not None:
            raise writer.over
        assert through >= self._position, "the position never moves back"
        finish = writer.begin(events, time_ms) if events else _nothing
        self._position = through
        return finish

    def wake(self) -> None:
        """See `BookLog.wake`."""
        self._commands.wake()

    def close(self) -> None:
        """See `BookLog.close`. Commands that wait stay in the log. It waits for no broker."""
        self._commands.close()
        self._events.close()
        if self._writer is not None:
            self._writer.close()
        if self._sender is not None:
            self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- CommandLog -----------------------------------------------------------------------------------

    def submit(self, commands: Sequence[Out]) -> Sequence[int]:
        """See `CommandLog.submit`, for an engine that is embedded. Some may be stored where it fails."""
        assert self._writer is not None, "a reader of the log never writes"
        assert self._sender is not None, "a writer that has claimed its partition can send"
        if self._writer.over is not None:
            raise EngineStopped(self._writer.over.what)
        return self._sender.submit(commands)

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

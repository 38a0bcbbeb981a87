"""The one writer of a partition of a topic: what it is given becomes durable whole, or not at all.

Each page is a transaction. The fence is the transactional id, `<prefix>-<name>-<partition>`: who claims it
has ended what another was writing, and made all its later commits fail. After `Uncertain` or `Fenced`
nothing here can be used any more: claim again. Nothing here may know what a record says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from engine.errors import DaybookError, EngineStopped, Fenced, LogUnwritable, Uncertain
from engine.log.records import BEFORE_FIRST, Out
from engine.log.tail import Tail
from engine.log.topics import Kafka, hear, unavailable
from engine.logger import logger

COMMIT_S: Final = 30.0
"""How long a commit may take before it is uncertain."""
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
        'Give the process the rights that docs/operations.md lists under "Who may do what in Kafka".',
    ),
    **dict.fromkeys(
        (KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND),
        "Start the brokers that are down: fewer replicas are in step than min.insync.replicas asks for.",
    ),
}
"""What stands in a page's way until somebody mends it, and how."""


class TopicWriter:
    """name: what writes there, `engine` or that of a derivation. Nothing is fenced before `claim`."""

    def __init__(self, kafka: Kafka, topic: str, partition: int, name: str) -> None:
        self.kafka = kafka
        self.topic = topic
        self.partition = partition
        self.producer: Producer | None = kafka.producer(transactional_id=f"{kafka.prefix}-{name}-{partition}")
        self._over: DaybookError | None = None
        self._tail: Tail | None = None

    def claim(self, tail: Tail) -> None:
        """Fence every other writer, and wait until `tail` can read all that it had committed.

        Raises LogUnavailable.
        """
        producer = self._producer()
        try:
            producer.init_transactions(CLAIM_S)
        except KafkaException as error:
            hear(producer)
            raise unavailable(
                error, f"claiming partition {self.partition} of {self.topic}", self.kafka.heard
            ) from error
        tail.reach_end(self._end_hanging)  # what it had not committed is aborted by now
        self._tail = tail

    def _end_hanging(self) -> None:
        """End a transaction that nobody else will: its coordinator counts it as aborted, and the partition
        has no marker of that.

        Seen on Kafka 4.3.1 where the broker of both was killed and came back: it took a partition that had no
        leader yet for a deleted one. A transactional id keeps its producer's id, so that the abort of a
        transaction of ours ends the one before too. Nobody can have read it, so nothing is taken back.
        """
        logger.warning("hanging_transaction_ended", topic=self.topic, partition=self.partition)
        producer = self._producer()
        try:
            producer.begin_transaction()
            producer.produce(self.topic, b"", b"", self.partition)
            producer.flush(CLAIM_S)
            producer.abort_transaction(CLAIM_S)
        except (KafkaException, BufferError) as error:
            raise self._end(_failure(error, self.topic, self.partition)) from error

    def begin(self, page: Sequence[Out], time_ms: int) -> Callable[[], None]:
        """Hand a page over, which has at least one record; what is returned makes it durable, or raises,
        once, in any thread.
        """
        producer, topic, partition = self._producer(), self.topic, self.partition
        produce = producer.produce
        newest = BEFORE_FIRST
        last = page[-1]

        def stored(error: KafkaError | None, message: Message) -> None:
            nonlocal newest
            newest = BEFORE_FIRST if error is not None else message.offset() or 0

        try:
            producer.begin_transaction()
            for out in page:
                produce(
                    topic,
                    out.value,
                    out.key,
                    partition,
                    timestamp=time_ms,
                    headers=list(out.headers) if out.headers else None,
                    on_delivery=stored if out is last else None,
                )
        except (KafkaException, BufferError) as error:
            raise self._end(_failure(error, topic, partition)) from error

        def finish() -> None:
            try:
                producer.commit_transaction(COMMIT_S)
                producer.poll(0)  # gives out what the library has to say
            except KafkaException as error:
                raise self._end(_failure(error, topic, partition)) from error
            # Its marker may be written after its acknowledgement; who has committed reads it at once.
            if self._tail is not None:
                self._tail.must_reach(newest + 1)

        return finish

    @property
    def over(self) -> DaybookError | None:
        """What ended this writer, where something did."""
        return self._over

    def close(self) -> None:
        """Let the producer go with whatever it holds: the next claim aborts what it had begun. It waits for
        no broker.
        """
        self._end(EngineStopped("The log was closed."))

    def _producer(self) -> Producer:
        if self._over is not None:
            raise self._over
        assert self.producer is not None, "a writer that is not over has its producer"
        return self.producer

    def _end(self, why: DaybookError) -> DaybookError:
        self._over = self._over or why
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.purge(blocking=False)
        return why


def _failure(error: Exception, topic: str, partition: int) -> DaybookError:
    """What a failed commit means. Who does not know whether it happened says so."""
    told = error.args[0] if error.args else None
    where = f"{topic}, partition {partition},"
    if isinstance(told, KafkaError):
        if told.code() in _FENCING or told.fatal():
            return Fenced(f"{where} has no place for this writer any more: {told.str()}.")
        advice = _UNWRITABLE.get(told.code())
        if advice is not None:
            return LogUnwritable(f"A page for {where} was refused: {told.str()}.", advice)
    return Uncertain(f"A commit to {where} was not acknowledged: {error}.")

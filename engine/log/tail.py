"""One partition of one topic, read in order by whoever wants it: engine, follower, projector, replay.

Reading knows two states: there may be more that is committed, and the end was reached. librdkafka says the
latter once, with an EOF that stands behind control records too; `position()` would not move past them.
Nothing here may know what a record says.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from engine.errors import DaybookError, LogCorrupt, LogUnavailable
from engine.log.records import BEFORE_FIRST, Headers, Record
from engine.log.topics import ANSWER_S, READS_ON, Kafka, at, unavailable
from engine.log.waiting import AT_ONCE_BYTES, up_to

AT_ONCE: Final = 10_000
SLICE_S: Final = 0.05
"""How long a wait cannot be woken."""
HANGING_S: Final = 3.0
"""Markers of a transaction that has ended are written within milliseconds, or when their leader is back."""
SILENCE_S: Final = 60.0
"""How long the cluster may say nothing before reading what is there has failed."""


class Tail:
    """Reads behind an offset, and stays where it is so that going on costs nothing."""

    def __init__(self, kafka: Kafka, topic: str, partition: int, **settings: str) -> None:
        """settings: of librdkafka, with _ for each dot, in place of what every reader has."""
        self.topic = topic
        self.partition = partition
        self._kafka = kafka
        self._settings = settings
        self._consumer: Consumer | None = None
        self._held: deque[Record] = deque()
        self._given = BEFORE_FIRST  # the offset behind which `_held` begins
        self._fetched = 0  # what the consumer gives next is at or behind this offset
        self._stands = False
        self._at_end = False
        self._must_reach = 0  # an end before this offset is none: see `reach_end`
        self._woken = False

    def read(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        """Up to `limit` records behind `after`; waits up to `wait_s` for the first and never for the rest, or
        until woken. Without a wait, what is committed comes, however long the cluster takes.

        Asking again with the same `after` gives the same records. They are few enough for one page.
        """
        self._stand(after)
        held = self._held
        if not held:
            self._wait(wait_s)
        self._woken = False
        found = list(islice(held, limit))
        return (
            found
            if sum([len(record.value) for record in found]) <= AT_ONCE_BYTES
            else up_to(AT_ONCE_BYTES, found)
        )

    def all(self, after: int) -> Iterator[Record]:
        """Every record behind `after` that is committed by now, in order; then it ends, so ask again.

        A transaction that is committed is given whole: the end that is read to is behind its last record.
        """
        self._stand(after)
        if self._at_end and not self._held:
            self._at_end = self._must_reach <= self._fetched and self.watermarks()[1] <= self._fetched
        while True:
            while self._held:
                record = self._held.popleft()
                self._given = record.offset
                yield record
                if self._given != record.offset:
                    return  # somebody else has read on with this tail
            if self._at_end:
                return
            self._wait(0.0)

    def reach_end(self, mend: Callable[[], None] | None = None) -> None:
        """Wait until every transaction that was begun before is committed or aborted for readers too; and
        from now on, have reading end no sooner than behind all of it.

        mend: called once where one stands open for longer than markers take to be written.

        A coordinator answers before the last of its markers is readable; and a partition whose leader dies
        just then has a new one, which for a moment shows less than the old one did.
        """
        with_open = Tail(self._kafka, self.topic, self.partition, isolation_level="read_uncommitted")
        try:
            _, target = with_open.watermarks()
        finally:
            with_open.close()
        began = time.monotonic()
        while self.watermarks()[1] < target:
            stood_s = time.monotonic() - began
            if mend is not None and stood_s > HANGING_S:
                mend()
                mend = None
            if stood_s > SILENCE_S:
                raise LogUnavailable(
                    f"A transaction has stood open in {self._name} for more than {SILENCE_S:.0f} s.",
                    "Only engines may write there (docs/operations.md, Who may do what in Kafka). Find who "
                    "does: `kafka-transactions.sh find-hanging`.",
                )
            time.sleep(0.005)
        self.must_reach(target)

    def must_reach(self, offset: int) -> None:
        """What is in front of this offset is committed, so reading does not end before it."""
        self._must_reach = max(self._must_reach, offset)

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait for a record behind `after`. False on time-out."""
        return bool(self.read(after, 1, timeout_s))

    def behind(self, after: int) -> int:
        """About how many records are known to be behind `after`, marks of transactions among them; 0 where
        the end was reached. Asks nobody: for the thread that reads, and what it has heard so far.
        """
        held = self._held
        consumer = self._consumer
        first = after + 1 if held and held[-1].offset > after else max(after + 1, self._fetched)
        if consumer is None or (self._at_end and first == self._fetched):
            return 0
        known = consumer.get_watermark_offsets(at(self.topic, self.partition, 0), cached=True)
        return max(0, known[1] - first)

    def watermarks(self) -> tuple[int, int]:
        """The offsets of the first record that is kept, and behind the last one that is committed."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                found = self._open().get_watermark_offsets(at(self.topic, self.partition, 0), ANSWER_S)
                break
            except KafkaException as error:
                if error.args[0].code() in _MOVING and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                with contextlib.suppress(DaybookError):
                    self._poll(0.0)  # so that what was heard is told
                raise unavailable(error, f"asking how far {self._name} goes", self._kafka.heard) from error
        if found is None:
            raise LogUnavailable(f"Kafka did not say how far {self._name} goes.")
        return found

    def last(self) -> int:
        """Offset of the last committed record, -1 before the first: the end may be control records."""
        newest = self.newest()
        return BEFORE_FIRST if newest is None else newest.offset

    def newest(self) -> Record | None:
        """The last committed record, None where there is none. What is being read on is left where it is."""
        first, end = self.watermarks()
        end = max(end, self._must_reach)
        step = 64
        while True:
            start = max(first, end - step)
            newest: Record | None = None
            beside = Tail(self._kafka, self.topic, self.partition)
            beside.must_reach(end)  # a new leader may show less than the one that was asked
            for record in beside.closing(start - 1):
                newest = record
            if newest is not None or start == first:
                return newest
            step *= 16

    def closing(self, after: int) -> Iterator[Record]:
        """As `all`, once: closes itself behind the last one."""
        try:
            yield from self.all(after)
        finally:
            self.close()

    def wake(self) -> None:
        """End a waiting `read`, or else the next one. From any thread."""
        self._woken = True

    def close(self) -> None:
        """Give the connection back."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer, self._stands = None, False

    # --- within ---------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"{self.topic}, partition {self.partition}"

    def _open(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._kafka.consumer(**self._settings)
        return self._consumer

    def _stand(self, after: int) -> None:
        """Have what is behind `after` come next. Only a step back, or far ahead, moves the consumer."""
        held = self._held
        if not self._stands or after < self._given or (after > self._given and after >= self._fetched):
            self._stands = True
            self._given, self._fetched, self._at_end = after, after + 1, False
            held.clear()
            self._open().assign([at(self.topic, self.partition, after + 1)])
            return
        while held and held[0].offset <= after:
            held.popleft()
        self._given = after

    def _wait(self, wait_s: float) -> None:
        """Until something is held, or the end is reached and `wait_s` is over, or somebody woke us."""
        now = time.monotonic()
        silent, over = now + SILENCE_S, now + wait_s
        while True:
            self._poll(min(SLICE_S, max(0.0, over - now)) if self._at_end or wait_s > 0 else SLICE_S)
            if self._held or self._woken:
                return
            now = time.monotonic()
            if self._at_end or wait_s > 0:
                if now >= over:
                    return
            elif now > silent:
                raise self._silent()

    def _poll(self, wait_s: float) -> None:
        """Take what has come; `consume(n, t)` would wait for all n (DESIGN 7)."""
        consumer = self._open()
        first = consumer.poll(wait_s)
        if first is None:
            return
        self._take(first)
        rest = consumer.consume(AT_ONCE, 0)
        for message in rest:
            self._take(message)

    def _take(self, message: Message) -> None:
        offset = message.offset() or 0  # the client types it as if it could be missing
        error = message.error()
        if error is not None:
            self._failed(error, offset)
            return
        self._at_end = False
        self._fetched = offset + 1
        headers = None
        try:
            headers = message.headers()
            whole = headers is None or len(gc.get_referents(headers)) == len(headers)
        except SystemError:
            whole = False
        if not whole:
            # Where a header's name is not UTF-8, the client (2.16) leaves a hole in its list and an exception
            # for whoever comes next. Touching the hole ends the process. Such headers prove nothing.
            headers = None
        self._held.append(
            Record(
                message.key() or b"",
                message.value() or b"",
                offset,
                message.timestamp()[1],
                _headers(headers) if headers else (),
            )
        )

    def _failed(self, error: KafkaError, offset: int) -> None:
        code = error.code()
        if code == KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is its public name
            self._fetched = max(self._fetched, offset)
            self._at_end = self._fetched >= self._must_reach
        elif code in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:  # noqa: SLF001
            self._stands = False  # the consumer has stopped there, and would be silent when asked again
            raise self._out_of_range()
        elif not error.retriable() and code not in READS_ON:
            raise unavailable(KafkaException(error), f"reading {self._name}", self._kafka.heard)

    def _out_of_range(self) -> DaybookError:
        first, end = self.watermarks()
        wanted = self._given + 1
        if wanted < first:
            return LogCorrupt(
                f"{self._name} begins at offset {first}, and what is from {wanted} on is needed: it was "
                "removed by retention or by `daybook archive --trim`, or the topic was made anew.",
                "Where it was archived, set DAYBOOK_ARCHIVE here too. Else set retention.ms and "
                "retention.bytes of the topic to -1 (`daybook topics check`), and restore what is missing "
                "from a mirror.",
            )
        if wanted <= end:
            return LogUnavailable(
                f"{self._name} had no offset {wanted} a moment ago and has it now.",
                "A broker took over and had not caught up. Read again; if that goes on, see its log.",
            )
        return LogCorrupt(
            f"{self._name} ends at offset {end}, and offset {wanted} was there before: the topic was made "
            "anew, cut off or set back.",
            "Restore it from a mirror; docs/operations.md says how a book goes on from one.",
        )

    def _silent(self) -> LogUnavailable:
        return LogUnavailable(
            f"Kafka has said nothing of {self._name} for {SILENCE_S:.0f} s.",
            "Check that the brokers are up, and that this host may read the topic.",
        )


_MOVING: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
    }
)
"""What a partition says while it gets a leader; for this question the client does not ask again by itself."""


def _headers(given: Any) -> Headers:
    for _, value in given:
        if type(value) is not bytes:  # a header without a value, which no client of ours writes
            return tuple([(name, one if isinstance(one, bytes) else b"") for name, one in given])
    return tuple(given)

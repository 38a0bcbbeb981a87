"""The logs of a home, wherever they are kept: how many there are, a reader and a writer of each, and which
one a book is on.

A log in a file or in PostgreSQL is one partition; Kafka has as many as its topics. Nothing else asks a home
where its log is. Which process may write which partition is not decided here: opening one for writing fences
whoever wrote it before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from engine.archive import Archive
from engine.attachment_keys import AttachmentKeys
from engine.attachments import Attachments
from engine.derivation import Output, in_log
from engine.errors import NotInitialised
from engine.home import Home
from engine.log.recorder import RecorderLog
from engine.log.records import BookLog, Clock, Measured, Out, Record, wall_clock
from engine.places import Place, place_at
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.log.topics import Kafka


class OpenLog(BookLog, Measured, Protocol):
    """One partition of a home, open for reading, or for its one writer."""

    def submit(self, commands: Sequence[Out]) -> Sequence[int]:
        """See `CommandLog.submit`; for the writer."""
        ...

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """Wait until an event behind `after` is stored. False on time-out."""
        ...

    def last_event_offset(self) -> int:
        """Offset of the last stored event, -1 before the first."""
        ...

    def last_command_offset(self) -> int:
        """Offset of the last stored command, -1 before the first."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Feed(Protocol):
    """A partition of what is derived from the events, such as alerts, open for reading. An offset is the
    position of a record: who has dealt with it asks for what is behind it.
    """

    def events(self, after: int) -> Iterator[Record]:
        """Every record behind `after` that is committed by now, in order; then it ends, so ask again."""
        ...

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """Wait until a record behind `after` is there. False on time-out."""
        ...

    def events_behind(self, after: int) -> int:
        """About how many records are behind `after`."""
        ...

    def last_event_offset(self) -> int:
        """Offset of the last record, -1 before the first."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Site:
    """The logs of one home. Nothing is opened or asked for before it is needed."""

    def __init__(self, home: Home, settings: Settings) -> None:
        """Raises NoHome."""
        self.home = home
        self.settings = settings
        self.kind = home.read().log

    @property
    def commands_may_wait(self) -> bool:
        """Whether commands are stored before they are decided, so that some may have no outcome yet."""
        return self.kind == "kafka"

    @cached_property
    def kafka(self) -> Kafka:
        """The home's place in its cluster. Raises NotInitialised where none is set."""
        from engine.kafka_settings import kafka_of  # noqa: PLC0415 - the client, for whom it concerns

        return kafka_of(self.settings)

    @cached_property
    def count(self) -> int:
        """How many partitions there are. Raises NotInitialised, LogUnavailable."""
        if self.kind != "kafka":
            return 1
        found = self.kafka.partitions(self.kafka.events)
        if found == 0:
            raise NotInitialised(
                f"There is no topic {self.kafka.events} at {self.kafka.bootstrap}.",
                "Run `daybook init --log kafka`, or check DAYBOOK_KAFKA_BOOTSTRAP and DAYBOOK_TOPIC_PREFIX.",
            )
        return found

    @property
    def partitions(self) -> range:
        """All partitions."""
        return range(self.count)

    def partition_of(self, book: str | bytes) -> int:
        """The partition that the book is on, or would be."""
        if self.kind != "kafka":
            return 0
        from engine.log.topics import partition_of  # noqa: PLC0415 - as above

        return partition_of(book if isinstance(book, bytes) else book.encode(), self.count)

    def read(self, partition: int = 0) -> OpenLog:
        """A reader of the partition. Raises NotInitialised, LogUnavailable."""
        if self.kind == "kafka":
            assert partition in self.partitions, f"there is no partition {partition}"
            return self._in_kafka(partition, writer=False)
        return self.recorder(writer=False)

    def read_book(self, book: str | bytes) -> OpenLog:
        """A reader of the partition that the book is on."""
        return self.read(self.partition_of(book))

    def readers(self) -> Iterator[tuple[int, OpenLog]]:
        """Every partition with a reader, one after another; each is closed when the next is asked for."""
        for partition in self.partitions:
            with self.read(partition) as log:
                yield partition, log

    @contextlib.contextmanager
    def read_all(self) -> Iterator[list[OpenLog]]:
        """A reader of every partition at once, in their order, while this lasts."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.read(partition)) for partition in self.partitions]

    def write(self, partition: int = 0, *, clock: Clock = wall_clock) -> OpenLog:
        """The partition for its one writer. Raises LogLocked; on Kafka, fences another writer instead."""
        if self.kind == "kafka":
            return self._in_kafka(partition, writer=True)
        return self.recorder(writer=True, clock=clock)

    def read_alerts(self, partition: int = 0) -> Feed:
        """What was noticed in the partition: each record's value is a `schemas.alerts.Alert`.

        Raises NotInitialised where no detector has run here yet (see `make_alerts`), LogUnavailable.
        """
        if self.kind == "kafka":
            from engine.log.kafka_reader import KafkaReader  # noqa: PLC0415 - as above

            assert partition in self.partitions, f"there is no partition {partition}"
            return KafkaReader(self.kafka, self.kafka.alerts, partition)
        if self.kind == "sqlite" and not self.home.alerts.exists():
            raise NotInitialised(
                f"No alerts were derived in {self.home} yet.",
                "Start `daybook up`, or `daybook run detection`.",
            )
        return self._alerts_log(writer=False)

    def write_alerts(self, partition: int, name: str) -> Output:
        """Where the partition's alerts go, for the one derivation of this name. Raises LogLocked; on Kafka,
        fences another writer instead.
        """
        if self.kind == "kafka":
            from engine.log.kafka_output import KafkaOutput  # noqa: PLC0415 - as above

            return KafkaOutput(self.kafka, self.kafka.alerts, partition, name)
        return in_log(self._alerts_log(writer=True))

    def make_alerts(self) -> None:
        """See to it that alerts can be read, and be it that there are none. On Kafka the topic is there."""
        try:
            self.read_alerts().close()
        except NotInitialised:
            if self.kind == "kafka":
                raise
            self._alerts_log(writer=True).close()

    def _alerts_log(self, *, writer: bool) -> RecorderLog:
        if self.kind == "postgres":
            return RecorderLog.postgres(self._log_url(), writer=writer, name="alerts")
        return RecorderLog.sqlite(self.home.alerts, writer=writer)

    def snapshots(self, partition: int = 0) -> Place:
        """Where the partition's snapshots are. Raises WrongUse where that cannot be reached from here.

        A place that several sites share has a folder for each, by the prefix of its topics.
        """
        place = place_at(self.settings.snapshots or self.home.snapshots)
        if self.kind != "kafka":
            return place
        if self.settings.snapshots is not None:
            place = place.of(self.settings.topic_prefix)
        return place.of(f"{partition}")

    def attachments(self) -> Attachments:
        """Where attachments of cases are. Raises WrongUse where that cannot be reached from here."""
        place = place_at(self.settings.attachments or self.home.attachments)
        if self.kind == "kafka" and self.settings.attachments is not None:
            place = place.of(self.settings.topic_prefix)
        return Attachments(place, AttachmentKeys(self.home))

    def receipts(self, partition: int = 0) -> Path:
        """The folder of what was signed of the partition."""
        folder = self.home.receipts
        return folder / f"{partition}" if self.kind == "kafka" else folder

    def _in_kafka(self, partition: int, *, writer: bool) -> OpenLog:
        from engine.log.archived import ArchivedLog  # noqa: PLC0415 - as above
        from engine.log.kafka import KafkaLog  # noqa: PLC0415

        log = KafkaLog(self.kafka, partition, writer=writer)
        if writer or self.settings.archive is None:
            return log
        return ArchivedLog(log, Archive(place_at(self.settings.archive), partition, log.epoch_id()))

    def recorder(self, *, writer: bool, clock: Clock = wall_clock) -> RecorderLog:
        """The log of a home that is not on Kafka. Raises NotInitialised; for the writer also LogLocked."""
        home = self.home
        if self.kind == "postgres":
            return RecorderLog.postgres(self._log_url(), writer=writer, clock=clock)
        if not writer and not home.log.exists():
            raise NotInitialised(f"There is no log in {home}.")
        return RecorderLog.sqlite(home.log, writer=writer, clock=clock)

    def _log_url(self) -> str:
        if self.settings.log_url is None:
            raise NotInitialised(
                f"The log of {self.home} is in PostgreSQL.", "Set DAYBOOK_LOG_URL to where it is."
            )
        return self.settings.log_url

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
from engine.errors import NotInitialised
from engine.home import Home
from engine.log.recorder import RecorderLog
from engine.log.records import BookLog, Clock, Measured, Out, wall_clock
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
            if self.settings.log_url is None:
                raise NotInitialised(
                    f"The log of {home} is in PostgreSQL.", "Set DAYBOOK_LOG_URL to where it is."
                )
            return RecorderLog.postgres(self.settings.log_url, writer=writer, clock=clock)
        if not writer and not home.log.exists():
            raise NotInitialised(f"There is no log in {home}.")
        return RecorderLog.sqlite(home.log, writer=writer, clock=clock)

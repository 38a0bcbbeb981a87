"""A log whose older part is in an archive, read as the one log that it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

from engine.archive import Archive, Kind
from engine.errors import LogCorrupt
from engine.log.kafka import KafkaLog
from engine.log.records import BEFORE_FIRST, Out, Record


class ArchivedLog:
    """A reader of both: what the topic has still comes from there, and what it has not from the archive.

    The two must meet. What is neither in the one nor in the other is never passed over.
    """

    def __init__(self, log: KafkaLog, archive: Archive) -> None:
        self.log = log
        self.archive = archive
        self.place = log.place
        self._archived: dict[Kind, int] = {kind: archive.last(kind) for kind in ("events", "commands")}

    def events(self, after: int) -> Iterator[Record]:
        """See `BookLog.events`. Raises LogCorrupt where archive and topic do not meet."""
        if self._in_archive("events", after):
            for record in self.archive.records("events", after):
                yield record
                after = record.offset
        yield from self.log.events(after)

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        """See `BookLog.commands`."""
        if self._in_archive("commands", after):
            found = self.archive.some("commands", after)[:limit]
            if found:
                return found
        return self.log.commands(after, limit, wait_s)

    def _in_archive(self, kind: Kind, after: int) -> bool:
        """Whether what is behind `after` is no longer in the topic, but in the archive."""
        last = self._archived[kind]
        if last == BEFORE_FIRST or after >= last:
            return False
        first = self.log.first_offset(kind)
        if after + 1 >= first:
            return False
        if first > last + 1:
            raise LogCorrupt(
                f"The archive {self.archive} ends with the {kind} at offset {last}, and the topic begins at "
                f"{first}: what is between is in neither.",
                "Find the archive that holds it; remove from a topic only what `daybook archive` has taken.",
            )
        return True

    def first_offset(self, kind: Kind) -> int:
        """See `KafkaLog.first_offset`: of both, which is 0 where anything is archived."""
        return 0 if self._archived[kind] > BEFORE_FIRST else self.log.first_offset(kind)

    def events_behind(self, after: int) -> int:
        """See `KafkaLog.events_behind`."""
        return self.log.events_behind(after)

    def commands_behind(self, after: int) -> int:
        """See `KafkaLog.commands_behind`."""
        return self.log.commands_behind(after)

    # --- as the log that it reads ---------------------------------------------------------------------

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        """Nobody writes through a reader."""
        raise AssertionError("a reader of the log never writes")

    def submit(self, commands: Sequence[Out]) -> Sequence[int]:
        """Nobody sends through a reader."""
        raise AssertionError("a reader of the log never writes")

    def wake(self) -> None:
        """See `BookLog.wake`."""
        self.log.wake()

    def close(self) -> None:
        """See `BookLog.close`."""
        self.log.close()

    def epoch_id(self) -> str:
        """See `KafkaLog.epoch_id`."""
        return self.log.epoch_id()

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """See `KafkaLog.wait_events`."""
        return self.log.wait_events(after, timeout_s)

    def last_event_offset(self) -> int:
        """See `KafkaLog.last_event_offset`."""
        return max(self._archived["events"], self.log.last_event_offset())

    def last_command_offset(self) -> int:
        """See `KafkaLog.last_command_offset`."""
        return max(self._archived["commands"], self.log.last_command_offset())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

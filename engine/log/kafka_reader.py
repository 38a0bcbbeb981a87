"""A partition of a topic that is derived from the events, for whoever reads it; see `engine.site.Feed`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from engine.log.records import Record
from engine.log.tail import Tail
from engine.log.topics import Kafka


class KafkaReader:
    """Committed records only, in order."""

    def __init__(self, kafka: Kafka, topic: str, partition: int) -> None:
        self._tail = Tail(kafka, topic, partition)

    def events(self, after: int) -> Iterator[Record]:
        """See `Feed.events`. Raises LogUnavailable."""
        return self._tail.all(after)

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """See `Feed.wait_events`."""
        return self._tail.wait(after, timeout_s)

    def events_behind(self, after: int) -> int:
        """See `Feed.events_behind`."""
        return self._tail.behind(after)

    def last_event_offset(self) -> int:
        """See `Feed.last_event_offset`."""
        return self._tail.last()

    def close(self) -> None:
        """Give the connection back."""
        self._tail.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

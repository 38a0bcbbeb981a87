"""A partition of a topic that is derived from the events: `engine.derivation.Output` on Kafka."""

from __future__ import annotations

import time
from collections.abc import Sequence

from engine.log.records import Out, Record
from engine.log.tail import Tail
from engine.log.topic_writer import TopicWriter
from engine.log.topics import Kafka
from engine.spans import committed


class KafkaOutput:
    """name: of the derivation, by which its writers fence each other."""

    def __init__(self, kafka: Kafka, topic: str, partition: int, name: str) -> None:
        """Claims it. Raises LogUnavailable."""
        self._tail = Tail(kafka, topic, partition)
        self._writer = TopicWriter(kafka, topic, partition, name)
        try:
            self._writer.claim(self._tail)
        except BaseException:
            self.close()
            raise

    def newest(self) -> Record | None:
        """The last record that is stored, None where there is none."""
        return self._tail.newest()

    def append(self, outs: Sequence[Out], time_ms: int) -> None:
        """All or nothing. Raises Fenced or Uncertain; after either the object refuses."""
        began = time.perf_counter()
        self._writer.begin(outs, time_ms)()
        committed("daybook derived commit", time.perf_counter() - began, records=len(outs))

    def close(self) -> None:
        """Give it back."""
        self._writer.close()
        self._tail.close()

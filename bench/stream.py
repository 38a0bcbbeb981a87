"""The stream workers: events a second by one worker and by two, and by the same folds in one process.

    DAYBOOK_KAFKA_BOOTSTRAP=... python -m bench.stream [--events 20000]

Events are in the log before a worker starts: it has a backlog. A turn begins when the group has committed its
first offset, and ends when it has committed all of events and of what they led to, sightings and alerts by
case, so the rates are those of whole work: read, repartitioned, folded, stored in changelogs, asked. Offsets
are committed once a second, which is how exact a turn is.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from detection import stream_topics
from detection.inline import Inline, Kept
from detection.watching import watching_of
from engine.log.records import BEFORE_FIRST, Record
from engine.log.topics import ANSWER_S
from engine.site import Site
from tests.kafka_home_test import deciding
from tests.stream_rig import Business, streaming_site, workers

PARTITIONS = 4
TURN_S = 240.0
QUIET = {"in_many_books": 1_000, "many_parties": 1_000, "passes_on": 10**15}
"""Everything is looked at and hardly anything found, as in honest traffic."""


class Progress:
    """How far the group of the stream workers is."""

    def __init__(self, site: Site) -> None:
        self._site = site
        kafka = site.kafka
        self._admin = kafka.admin()
        self._consumer = kafka.consumer()
        self._topics = (kafka.events, *(stream_topics.via(kafka, name) for name in ("subjects", "groups")))

    def committed(self) -> dict[tuple[str, int], int]:
        """By topic and partition, the offset up to which all is done."""
        group = f"{self._site.kafka.prefix}.{stream_topics.NAME}"
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        found = asked[group].result().topic_partitions or []
        return {(one.topic, one.partition): one.offset for one in found if one.topic in self._topics}

    def events(self) -> list[int]:
        """How far it is in each partition of the events."""
        return [one for (topic, _), one in self.committed().items() if topic == self._site.kafka.events]

    def members(self) -> int:
        """How many workers share the partitions."""
        group = f"{self._site.kafka.prefix}.{stream_topics.NAME}"
        found = self._admin.describe_consumer_groups([group])[group].result()
        return sum(1 for one in found.members if one.assignment.topic_partitions)

    def is_done(self) -> bool:
        """Whether nothing is left but the marker of the last transaction."""
        committed = self.committed()
        for topic in self._topics:
            for partition in self._site.partitions:
                _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), ANSWER_S)
                if committed.get((topic, partition), 0) < end - 1:
                    return False
        return True


@contextlib.contextmanager
def backlog(folder: Path, events: int) -> Iterator[Site]:
    """A site whose log has so many transfers, decided; no engine runs any more, and no worker yet."""
    site = streaming_site(os.environ["DAYBOOK_KAFKA_BOOTSTRAP"], folder / "home", PARTITIONS)
    with deciding(site, *site.partitions) as engines:
        business = Business(site, 1)
        business.open()
        for _ in range(events // 1_000):
            business.move(1_000)
        ends = [log.last_command_offset() for _, log in site.readers()]
        _until(lambda: all(one.position >= end for one, end in zip(engines, ends, strict=True)))  # type: ignore[union-attr]
    yield site


def by_workers(events: int, count: int) -> float | None:
    """Events a second by so many workers; None where too little was left once all of them were there."""
    with tempfile.TemporaryDirectory() as name, backlog(Path(name), events) as site:
        progress = Progress(site)
        stored = sum(log.last_event_offset() + 1 for _, log in site.readers())
        with workers(site, Path(name), count, DAYBOOK_STREAM_WATCHING=json.dumps(QUIET)) as running:
            if count > 1:
                _until(lambda: progress.members() == count)
            _until(lambda: bool(progress.committed()))
            began, before = time.perf_counter(), sum(max(0, one) for one in progress.events())
            if before * 2 > stored:  # the first has been at work for as long as the others took to begin
                print(
                    f"of {stored:,} events {before:,} were done before {count} workers had begun: take more"
                )
                return None
            _until(progress.is_done)
            took = time.perf_counter() - began
            assert all(one.process.poll() is None for one in running), "a worker has ended"
        return (stored - before) / took


def inline(events: int) -> float:
    """Events a second by the folds alone, in this process."""
    with tempfile.TemporaryDirectory() as name, backlog(Path(name), events) as site:
        records: list[tuple[int, Record]] = [
            (partition, record) for partition, log in site.readers() for record in log.events(BEFORE_FIRST)
        ]
    folds = Inline(Kept(), watching_of(QUIET))
    began = time.perf_counter()
    for partition, record in records:
        for _ in folds.event(record.value, partition, record.offset):
            pass
    return len(records) / (time.perf_counter() - began)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TURN_S
    while not holds():
        assert time.monotonic() < deadline, f"it took more than {TURN_S:.0f} s"
        time.sleep(0.1)


def main(events: Annotated[int, typer.Option(min=1_000)] = 20_000) -> None:
    """Measure, and print a table."""
    load = os.getloadavg()[0]
    print(f"{events:,} transfers by devices and between parties, {PARTITIONS} partitions, load {load:.1f}")
    alone = inline(events)
    print(f"the folds in one process   {alone:>9,.0f} events/s")
    for count in (1, 2):
        rate = by_workers(events, count)
        if rate is not None:
            print(f"stream workers: {count}          {rate:>9,.0f} events/s")


if __name__ == "__main__":
    typer.run(main)

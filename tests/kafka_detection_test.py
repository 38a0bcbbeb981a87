"""Detection on the real broker: each alert once, whoever is killed, frozen or fenced."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from detection.detector import NAME, Detector
from engine.derivation import Host, next_pages
from engine.errors import Fenced
from engine.log.kafka import KafkaLog
from engine.log.kafka_output import KafkaOutput
from engine.log.kafka_reader import KafkaReader
from engine.log.memory import MemoryLog
from engine.log.partitioning import partition_of
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.log.topics import Kafka
from engine.site import Site
from schemas.alerts import Alert, decode_alert
from tests.busy_day import Traffic, stored
from tests.detection_words import alerts_of
from tests.kafka_engines import SESSION_MS, BankOnKafka, RunOf
from tests.kafka_servers import made
from tests.terminal import until


def pages_of(log: MemoryLog) -> Iterator[list[Record]]:
    after, reader = BEFORE_FIRST, log.reader()
    while page := next_pages(reader.events(after), 1):
        after = page[-1].offset
        yield page


def commit(log: KafkaLog, page: Sequence[Record]) -> None:
    log.commit([Out(one.key, one.value, one.headers) for one in page], BEFORE_FIRST, page[-1].time_ms)


@contextlib.contextmanager
def detector(kafka: Kafka, at_once: int = 200) -> Iterator[Host]:
    with (
        KafkaLog(kafka) as log,
        contextlib.closing(KafkaOutput(kafka, kafka.alerts, 0, NAME)) as output,
    ):
        yield Host(Detector(log), log, output, at_once=at_once)


def alerts_in(site: Site, partition: int = 0) -> list[Alert]:
    with site.read_alerts(partition) as feed:
        return [decode_alert(record.value) for record in feed.events(BEFORE_FIRST)]


def traffic(book: str, movements: int) -> Traffic:
    made = Traffic(7, 30, book)
    made.run(movements)
    return made


def test_each_alert_is_there_once_and_a_zombie_is_fenced(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 1)
    log = stored(traffic("main", 700))
    pages = list(pages_of(log))
    half = len(pages) // 2
    with KafkaLog(kafka, writer=True) as writer, detector(kafka) as zombie:
        for page in pages[:half]:
            commit(writer, page)
        zombie.step()
        with detector(kafka) as host:
            for page in pages[half:]:
                commit(writer, page)
            with pytest.raises(Fenced):
                until(lambda: zombie.step() < 0)
            until(lambda: host.position == last_of(kafka) or host.step() < 0)
        right = alerts_of(log)
        assert len(right) > 50
    with KafkaReader(kafka, kafka.alerts, 0) as feed:
        assert [decode_alert(one.value) for one in feed.events(BEFORE_FIRST)] == right


def last_of(kafka: Kafka) -> int:
    with KafkaLog(kafka) as log:
        return log.last_event_offset()


# --- whole processes --------------------------------------------------------------------------------------


@pytest.mark.long
def test_detectors_may_be_killed_and_frozen_at_any_moment(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Two at once while events come in; 20 times one is killed, or stands still until it is given up."""
    chance = random.Random(11)
    bank = BankOnKafka(tmp_path, kafka_bootstrap, 2)
    logs = [stored(traffic(name, 6_000)) for _, name in sorted(bank.books.items())]
    assert [partition_of(name.encode(), 2) for _, name in sorted(bank.books.items())] == [0, 1]
    running: list[RunOf] = []

    def more() -> None:
        """Start who is missing, as whatever keeps the processes of a site running does."""
        running[:] = [one for one in running if one.process.poll() is None]
        while len(running) < 2:
            running.append(RunOf("detection", bank, len(list(tmp_path.glob("detection-*")))))

    def all_there(right: list[list[Alert]]) -> bool:
        more()
        return all(len(alerts_in(bank.site, one)) >= len(right[one]) for one in range(2))

    try:
        with contextlib.ExitStack() as stack:
            writers = [stack.enter_context(KafkaLog(bank.kafka, one, writer=True)) for one in range(2)]
            pages = [list(pages_of(log)) for log in logs]
            more()
            for turn in range(20):
                for writer, mine in zip(writers, pages, strict=True):
                    share = len(mine) // (20 - turn)
                    for page in mine[:share]:
                        commit(writer, page)
                    del mine[:share]
                time.sleep(chance.uniform(0.5, 3.0))
                victim = running.pop(chance.randrange(2))
                if chance.random() < 0.7:
                    victim.end()
                else:
                    victim.process.send_signal(signal.SIGSTOP)
                    more()
                    time.sleep(SESSION_MS / 1_000 + chance.uniform(1.0, 3.0))
                    victim.process.send_signal(signal.SIGCONT)
                    time.sleep(chance.uniform(0.5, 2.0))
                    victim.end()
                more()
        right = [alerts_of(log) for log in logs]
        until(lambda: all_there(right), 180)
        for one in range(2):
            assert alerts_in(bank.site, one) == right[one]
        last = running.pop()
        last.end(signal.SIGTERM)
        assert last.process.returncode == 0, last.said.read_text()
    finally:
        for process in running:
            process.end()
        bank.end()

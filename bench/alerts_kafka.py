"""`alerts/kafka`: from the commit of an event to its alert on the topic, at half of what a detector manages.

A writer commits a bank's events in pages, as an engine does, every ten milliseconds; the detector is the real
one, with all typologies of the example; a reader sees committed alerts only. Each is a process of its own on
the same machine, and so is the broker. What a detector manages is measured first, on events that wait
already. A latency is from when the commit of the event was acknowledged until its alert was read.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import secrets
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final

from bench.alerts import Month, sets_of
from bench.measure import Figure, at
from detection.detector import NAME, Detector
from detection.table import TYPOLOGIES
from engine import garbage
from engine.derivation import Host
from engine.links import FIRST_LINK, linked
from engine.log.kafka import KafkaLog
from engine.log.kafka_output import KafkaOutput
from engine.log.kafka_reader import KafkaReader
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.log.topic_settings import create
from engine.log.topics import Kafka
from schemas.alerts import decode_alert

WAITING: Final = 60_000
"""Events that are there before the clock runs."""
OFFERED_S: Final = 10.0
PAGE_S: Final = 0.01
IDLE_S: Final = 0.005
"""A detector looks more often than `Derivations` by default would: not at all while there is something."""
_FORKS = multiprocessing.get_context("fork")


def figure(bootstrap: str, offered_per_s: int = 0) -> Figure:
    """Measure it on a topic of its own. offered_per_s: in place of the half."""
    kafka = Kafka(bootstrap, f"bench-{secrets.token_hex(4)}")
    create(kafka, partitions=1, replication=1)
    records = Month(WAITING + 400_000).records(sets_of(*TYPOLOGIES))
    ours, theirs = _FORKS.Pipe()
    writer = _FORKS.Process(target=_write, args=(theirs, kafka, records), daemon=True)
    writer.start()
    waiting: int = ours.recv()
    seen_ours, seen_theirs = _FORKS.Pipe()
    reader = _FORKS.Process(target=_read, args=(seen_theirs, kafka), daemon=True)
    reader.start()
    with (
        KafkaLog(kafka) as log,
        contextlib.closing(KafkaOutput(kafka, kafka.alerts, 0, NAME)) as output,
        garbage.by_hand(),
    ):
        host = Host(Detector(log), log, output)
        done, began = 0, time.perf_counter()
        while done < waiting:
            done += host.step()
        per_s = round(done / (time.perf_counter() - began))
        gc.collect()
        seen_ours.send("begin")
        ours.send(offered_per_s or per_s // 2)
        ended = time.perf_counter() + OFFERED_S + 2.0
        while time.perf_counter() < ended:
            if host.step() == 0:
                garbage.young()
                time.sleep(IDLE_S)
    committed: dict[int, float] = ours.recv()
    seen_ours.send("end")
    seen: list[tuple[int, float]] = seen_ours.recv()
    for one in (writer, reader):
        one.join(30)
    latencies = sorted(when - committed[book_ms] for book_ms, when in seen if book_ms in committed)
    assert latencies, "alerts came"
    return Figure(
        workload="alerts/kafka",
        log="kafka",
        per_s=round(len(committed) / OFFERED_S),
        p50_ms=at(latencies, 0.5),
        p99_ms=at(latencies, 0.99),
        longest_ms=round(latencies[-1] * 1_000, 1),
    )


def _write(pipe: Connection, kafka: Kafka, records: Sequence[Record]) -> None:
    """Commit what is to wait; then so many events a second as it is told, and say when each was committed."""
    with KafkaLog(kafka, writer=True) as log:
        link = FIRST_LINK
        place = 0

        def commit(count: int) -> Sequence[Record]:
            nonlocal link, place
            page = records[place : place + count]
            outs = [Out(one.key, one.value) for one in page]
            link = linked(link, outs)
            log.commit(outs, BEFORE_FIRST, time.time_ns() // 1_000_000)
            place += len(page)
            return page

        while place < WAITING:
            commit(1_000)
        pipe.send(place)
        per_s = pipe.recv()
        committed: dict[int, float] = {}
        began = time.time()
        offered = 0
        while (past := time.time() - began) < OFFERED_S:
            due = min(int(past * per_s) - offered, len(records) - place)
            if due > 0:
                page = commit(due)
                now = time.time()
                offered += len(page)
                committed |= {_book_ms(one.value): now for one in page}
            time.sleep(PAGE_S)
        pipe.send(committed)


def _book_ms(value: bytes) -> int:
    start = value.index(b'"at":') + 5
    return int(value[start : value.index(b",", start)])


def _read(pipe: Connection, kafka: Kafka) -> None:
    """See alerts, and say when."""
    seen: list[tuple[int, float]] = []
    with KafkaReader(kafka, kafka.alerts, 0) as feed:
        pipe.recv()
        after = feed.last_event_offset()
        told: Any = None
        while told is None:
            if feed.wait_events(after, 0.05):
                for record in feed.events(after):
                    after = record.offset
                    seen.append((decode_alert(record.value).at, time.time()))
            if pipe.poll():
                told = pipe.recv()
    pipe.send(seen)

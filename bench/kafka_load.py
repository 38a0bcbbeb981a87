"""Upstream and a reader of what was committed, in one process that is no engine's.

Commands are made and proven before the clock runs. A command's latency is from the moment at which it was to
be sent, so that a producer that falls behind makes nothing look better, until its event can be read by who
reads committed records only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

import msgspec
from confluent_kafka import Consumer

from bench import book
from bench.book import Contention
from engine.log.records import Out, wall_clock
from engine.log.topics import Kafka, at

TICK_S = 0.001


class _Seen(msgspec.Struct):
    type: str
    command: str = ""


_see = msgspec.json.Decoder(_Seen).decode


NOTED = "RiskAssessed"
"""Follows a transfer's event where a rule applied."""


class Load:
    """Sends to one book on one partition, and reads its events."""

    def __init__(self, kafka: Kafka, partition: int, name: str, contention: Contention) -> None:
        self._kafka = kafka
        self._partition = partition
        self._name = name
        self._contention = contention
        self._turns = 0
        self._producer = kafka.producer(linger_ms=1)
        self._consumer: Consumer = kafka.consumer(enable_partition_eof=False, fetch_wait_max_ms=20)
        _, end = self._consumer.get_watermark_offsets(at(kafka.events, partition, 0), 15)
        self._consumer.assign([at(kafka.events, partition, end)])

    def _made(self, count: int) -> list[Out]:
        self._turns += 1
        with book.named(self._name):
            return book.transfers(self._contention, count, self._turns, wall_clock())

    def _send(self, outs: Sequence[Out]) -> None:
        topic, partition, produce = self._kafka.commands, self._partition, self._producer.produce
        for out in outs:
            produce(topic, out.value, out.key, partition, headers=list(out.headers))
        self._producer.poll(0)

    def fill(self, count: int) -> None:
        """Have so many commands wait."""
        self._send(self._made(count))
        left = self._producer.flush(60)
        assert left == 0, f"{left} commands were not sent"

    def read(self, count: int) -> None:
        """Read past so many outcomes, all of which are to be transfers."""
        self._outcomes(count, time.monotonic() + 120)

    def offer(self, per_s: float, seconds: float) -> list[float]:
        """Send evenly at this rate; the latency of each, in s."""
        outs = self._made(int(per_s * seconds))
        count = len(outs)
        number_of = {f"{self._contention[:3]}-{self._turns}-{number:07d}": number for number in range(count)}
        arrived = [0.0] * count
        clock, consume, poll = time.monotonic, self._consumer.consume, self._producer.poll
        sent = seen = 0
        began = clock() + 0.01
        ends = began + seconds + 60
        while seen < count:
            now = clock()
            due = min(count, int((now - began) * per_s) + 1) if now >= began else 0
            if due > sent:
                self._send(outs[sent:due])
                sent = due
            poll(0)
            messages = consume(10_000, 0)
            now = clock()
            for message in messages:
                event = _see(message.value() or b"")
                number = number_of.get(event.command)
                if number is not None and event.type != NOTED:
                    assert event.type == "TransferPosted", f"{event} would flatter the figure"
                    arrived[number] = now
                    seen += 1
            if not messages:
                time.sleep(TICK_S)
            assert now < ends, f"{count - seen} outcomes did not come"
        return [at_s - began - number / per_s for number, at_s in enumerate(arrived)]

    def _outcomes(self, count: int, ends: float) -> None:
        while count > 0:
            assert time.monotonic() < ends, f"{count} outcomes did not come"
            for message in self._consumer.consume(10_000, 0.05):
                assert message.error() is None, message.error()
                event = _see(message.value() or b"")
                if event.command and event.type != NOTED:  # and not a timer's
                    assert event.type == "TransferPosted", f"{event} would flatter the figure"
                    count -= 1

    def close(self) -> None:
        self._consumer.close()


def main(told: Connection, kafka: Kafka, partition: int, name: str, contention: Contention) -> None:
    """Do what comes: ("fill", count), ("read", count), ("offer", rate, seconds), ("over",)."""
    load = Load(kafka, partition, name, contention)
    told.send("ready")
    while True:
        what, *given = told.recv()
        if what == "over":
            load.close()
            return
        told.send(getattr(load, what)(*given))

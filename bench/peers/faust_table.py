"""The same balance and limit check as an agent of Faust with tables, on the same broker.

Tables are in memory with their changelog in Kafka, as Faust has them without RocksDB; each transfer is
answered on another topic. It decodes the same bytes with the same decoder. It proves no actor, remembers no
id, keeps no chain, and is at-least-once: Faust's transactions do not fence (DESIGN 6).
Run as a program it is the worker.
"""

from __future__ import annotations

import subprocess
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import msgspec
from confluent_kafka.admin import NewTopic

from bench import book
from engine.log.records import wall_clock
from engine.log.topics import Kafka, at

COUNT = 10_000
START_S = 60.0
DAILY_MOST = 10**9


class _Transfer(msgspec.Struct):
    id: str
    debit: str
    credit: str
    amount: int
    issued_at_ms: int


def measured(told: Connection, kafka: Kafka, count: int) -> None:
    """Have so many transfers wait, start the worker, and say how many outcomes come a second."""
    admin = kafka.admin()
    for name, partitions in ((commands(kafka.prefix), 1), (answers(kafka.prefix), 1)):
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result()
    producer = kafka.producer(compression_type="none")  # what aiokafka reads without another package
    for out in book.transfers("uniform-10k", count, 1, wall_clock()):
        producer.produce(commands(kafka.prefix), out.value, out.key)
    assert producer.flush(60) == 0, "transfers were not sent"
    consumer = kafka.consumer(enable_partition_eof=False)
    consumer.assign([at(answers(kafka.prefix), 0, 0)])
    worker = subprocess.Popen(
        [sys.executable, "-m", "bench.peers.faust_table", kafka.bootstrap, kafka.prefix],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first, last, seen = 0.0, 0.0, 0
        ends = time.monotonic() + START_S + count / 50
        while seen < count:
            messages = consumer.consume(10_000, 0.1)
            last = time.monotonic()
            assert last < ends, f"{count - seen} outcomes did not come"
            assert worker.poll() is None, "the worker ended"
            if messages and not first:
                first, count = last, count - len(messages)  # the clock runs from here
                continue
            seen += len(messages)
        told.send(seen / (last - first))
    finally:
        worker.terminate()
        worker.wait(20)
        consumer.close()


def commands(prefix: str) -> str:
    return f"{prefix}.faust-commands"


def answers(prefix: str) -> str:
    return f"{prefix}.faust-answers"


def worker(bootstrap: str, prefix: str) -> None:
    """Run the agent until told to end."""
    import faust

    app: Any = faust.App(
        f"{prefix}-faust",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        topic_partitions=1,
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    told = app.topic(commands(prefix), value_serializer="raw", key_serializer="raw")
    answered = app.topic(answers(prefix), value_serializer="raw", key_serializer="raw")
    balances = app.Table("balances", default=int, partitions=1)
    spent = app.Table("spent", default=int, partitions=1)
    decode = msgspec.json.Decoder(_Transfer).decode

    @app.agent(told)  # type: ignore[untyped-decorator]
    async def decide(transfers: Any) -> None:
        async for value in transfers:
            one = decode(value)
            day = f"{one.debit}/{one.issued_at_ms // 86_400_000}"
            so_far = spent[day] + one.amount
            after = balances[one.debit] - one.amount
            if after < -book.OPENING_MINOR or so_far > DAILY_MOST:
                answered.send_soon(value=msgspec.json.encode({"type": "rejected", "command": one.id}))
                continue
            spent[day] = so_far
            balances[one.debit] = after
            balances[one.credit] += one.amount
            answered.send_soon(value=msgspec.json.encode({"type": "posted", "command": one.id}))

    faust.Worker(app, loglevel="error").execute_from_commandline()


if __name__ == "__main__":
    worker(*sys.argv[1:3])

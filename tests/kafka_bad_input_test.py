"""What other programs may write to the commands topic: each record has one answer, and the engine goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from book.state import SYSTEM_BOOK
from engine.admission import Admission
from engine.errors import LogCorrupt, LogUnavailable, LogUnwritable, WrongLog
from engine.genesis import begin
from engine.log.kafka import KafkaLog
from engine.log.partitioning import partition_of
from engine.log.records import BEFORE_FIRST, Out, wall_clock
from engine.log.topics import MAX_BYTES, Kafka
from engine.proof import Keyring, mac, new_key, proof
from engine.worker import Worker
from replay.redecide import redecide
from schemas.books import Administrator, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.rejections import CommandRejected
from tests.kafka_servers import made

ADA = Administrator(person="p", user="ada")
PEOPLE = new_key(owner="ada")
RING = Keyring({"k": PEOPLE})
HERE = partition_of(b"main", 2)


class Bench:
    """An engine on the partition of the book `main`, and a producer of another program."""

    def __init__(self, bootstrap: str) -> None:
        self.kafka = made(bootstrap, 2)
        self.log = KafkaLog(self.kafka, HERE, writer=True)
        begin(self.log, [ADA], wall_clock())
        self.worker = Worker(self.log, admission=Admission(RING))
        self.other = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 32 << 20})

    def write(
        self,
        value: bytes | None,
        key: bytes | None = b"main",
        headers: Sequence[tuple[str, str | bytes | None]] | None = None,
        partition: int = HERE,
    ) -> None:
        self.other.produce(
            self.kafka.commands, value, key, partition, headers=list(headers) if headers is not None else None
        )
        assert self.other.flush(20) == 0

    def answer(self) -> str:
        """What became of the next record: a reason, or the event's type. There is exactly one."""
        before = self.log.last_event_offset()
        while self.worker.step(10.0) == 0:
            pass
        self.worker.step(0.0)
        found = [decode_event(record.value) for record in self.log.events(before)]
        event, *rest = [one for one in found if one.cause >= 0]
        assert {one.cause for one in (event, *rest)} == {self.log.last_command_offset()}
        if isinstance(event, CommandRejected):
            assert event.book == SYSTEM_BOOK
            return event.reason
        return type(event).__name__

    def agrees(self) -> None:
        """Deciding all of it again gives the same."""
        with KafkaLog(self.kafka, HERE) as reader:
            again = redecide(reader)
        assert again.ok, again.differences

    def close(self) -> None:
        self.log.close()


@pytest.fixture
def bench(kafka_bootstrap: str) -> Iterator[Bench]:
    made = Bench(kafka_bootstrap)
    yield made
    made.agrees()
    made.close()


def opens(book: str = "main", id: str = "1") -> bytes:
    return encode(
        OpenBook(
            id=id,
            name="Main",
            book=book,
            actor="ada",
            issued_at_ms=wall_clock(),
            currency="EUR",
            time_zone="UTC",
            clock="wall",
            administrators=(ADA,),
        )
    )


def proven(value: bytes) -> list[tuple[str, str | bytes | None]]:
    return list(proof("k", PEOPLE, value))


def test_every_record_of_another_program_has_one_answer(bench: Bench) -> None:
    good = opens()
    sealed = proven(good)
    name, seal = sealed
    elsewhere = next(f"b{n}" for n in range(99) if partition_of(f"b{n}".encode(), 2) != HERE)
    stray = opens(elsewhere)
    records: list[tuple[str, dict[str, Any], str]] = [
        ("no key", {"value": good, "key": None, "headers": sealed}, "wrong_partition"),
        ("an empty key", {"value": good, "key": b"", "headers": sealed}, "wrong_partition"),
        ("the key of another book", {"value": good, "key": b"other", "headers": sealed}, "wrong_partition"),
        ("a tombstone", {"value": None}, "undecodable"),
        ("nothing at all", {"value": None, "key": None}, "undecodable"),
        ("an empty value", {"value": b"", "headers": proven(b"")}, "undecodable"),
        ("another format", {"value": b"\x00\x00\x00\x00\x01avro", "headers": []}, "undecodable"),
        ("a value in UTF-16", {"value": good.decode().encode("utf-16"), "headers": sealed}, "undecodable"),
        ("a book of another partition", {"value": stray, "key": elsewhere.encode(), "headers": proven(stray)},
         "wrong_partition"),
        ("no headers", {"value": good}, "actor_unproven"),
        ("no mac", {"value": good, "headers": [name]}, "actor_unproven"),
        ("no key header", {"value": good, "headers": [seal]}, "actor_unproven"),
        ("headers without values", {"value": good, "headers": [("key", None), ("mac", None)]},
         "actor_unproven"),
        ("the mac of another value", {"value": good, "headers": proven(stray)}, "actor_unproven"),
        ("a mac by another secret", {"value": good, "headers": [name, ("mac", mac(b"x" * 32, good))]},
         "actor_unproven"),
        ("a key that nobody knows", {"value": good, "headers": [("key", b"\xff\xfe"), seal]},
         "actor_unproven"),
        ("a second mac that is wrong", {"value": good, "headers": [name, seal, ("mac", b"0" * 16)]},
         "actor_unproven"),
        ("odd headers beside the right ones",
         {"value": good, "headers": [("", b""), ("\x00", None), ("ключ", b"\xff"), ("trace", b"1"),
                                     ("trace", b"2"), *sealed, ("x" * 5_000, b"y" * 50_000)]},
         "BookRegistered"),
        ("the same once more", {"value": good, "headers": sealed}, "CommandRepeated"),
    ]  # fmt: skip
    found = {}
    for what, record, _ in records:
        bench.write(**record)
        found[what] = bench.answer()
    assert found == {what: answer for what, _, answer in records}


def test_a_record_of_9_mb_is_too_large_and_no_obstacle(bench: Bench) -> None:
    entry = ConfigEntry("max.message.bytes", str(16 << 20), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, bench.kafka.commands, incremental_configs=[entry])
    admin = bench.kafka.admin()
    for done in admin.incremental_alter_configs([resource]).values():
        done.result()
    value = bytes(9 << 20)
    bench.write(value, headers=proven(value))
    assert bench.answer() == "too_large"
    good = opens()
    bench.write(good, headers=proven(good))
    assert bench.answer() == "BookRegistered"


def test_what_a_producer_aborted_was_never_said(bench: Bench) -> None:
    """Nothing answers it, and its offsets are a gap."""
    upstream = bench.kafka.producer(transactional_id=f"{bench.kafka.prefix}-upstream")
    upstream.init_transactions(30)
    good = opens()
    for end in (upstream.abort_transaction, upstream.commit_transaction):
        upstream.begin_transaction()
        upstream.produce(bench.kafka.commands, good, b"main", HERE, headers=proven(good))
        upstream.flush()
        end(30)
    assert bench.answer() == "BookRegistered"
    [opened] = [
        one
        for record in bench.log.events(BEFORE_FIRST)
        if (one := decode_event(record.value)).cause >= 0 and type(one).__name__ == "BookRegistered"
    ]
    assert opened.cause == 2, "behind the aborted record and its marker"


ODD = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class Odd(str):
    def encode(self, *_):
        return bytes([0xFF, 0xFE, 0x80])

async def write(bootstrap, topic, partition, value):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(
            topic, value, b"main", partition=partition, headers=[(Odd("odd"), b"1"), ("key", b"k")]
        )

bootstrap, topic, partition, value = sys.argv[1:]
asyncio.run(write(bootstrap, topic, int(partition), value.encode()))
"""


def test_a_header_whose_name_is_no_text_stops_nobody(bench: Bench) -> None:
    """No string of Java's can be such a name, but bytes on the wire can."""
    good = opens()
    subprocess.run(
        [sys.executable, "-c", ODD, bench.kafka.bootstrap, bench.kafka.commands, str(HERE), good.decode()],
        check=True,
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
    )
    assert bench.answer() == "actor_unproven"
    bench.write(good, headers=proven(good))
    assert bench.answer() == "BookRegistered"


# --- topics that are not what they were -------------------------------------------------------------------


def test_what_retention_has_removed_is_missed_by_name(kafka: Kafka) -> None:
    with KafkaLog(kafka, writer=True) as log:
        log.submit([Out(b"book", b"a"), Out(b"book", b"b")])
        log.commit([Out(b"book", b"e1")], 0, 1)
        log.commit([Out(b"book", b"e2")], 0, 1)
        admin = kafka.admin()
        places = [TopicPartition(kafka.events, 0, 2), TopicPartition(kafka.commands, 0, 1)]
        for done in admin.delete_records(places).values():
            done.result()
        with KafkaLog(kafka) as reader:
            with pytest.raises(LogCorrupt, match="begins at offset 2, and what is from 0 on is needed"):
                list(reader.events(-1))
            assert [record.value for record in reader.events(1)] == [b"e2"], "a snapshot may know the rest"
            with pytest.raises(LogCorrupt, match="removed by retention"):
                reader.commands(-1, 10, 0.0)
            assert [record.value for record in reader.commands(0, 10, 0.0)] == [b"b"]


def test_a_topic_that_was_deleted_or_has_no_such_partition_is_no_log(kafka: Kafka) -> None:
    with pytest.raises(WrongLog, match=r"has no partition 7: it has 1\. `daybook topics check`"):
        KafkaLog(kafka, 7, writer=True)
    admin = kafka.admin()
    for done in admin.delete_topics([kafka.events]).values():
        done.result()
    while kafka.partitions(kafka.events):  # the broker answers before it has forgotten the topic
        time.sleep(0.02)
    with pytest.raises((WrongLog, LogUnavailable), match="topics check"):
        list(KafkaLog(kafka).events(-1))


def test_the_largest_event_that_is_taken_is_stored_and_a_larger_one_stands_in_the_way(kafka: Kafka) -> None:
    most = MAX_BYTES - (64 << 10) - 1_000
    value = random.Random(1).randbytes(most)  # nothing that could be compressed
    with KafkaLog(kafka, writer=True) as log:
        log.commit([Out(b"main", value), Out(b"main", value)], -1, 1)
        assert [len(record.value) for record in log.events(-1)] == [most, most]
        with pytest.raises(LogUnwritable, match=r"max\.message\.bytes"):
            log.commit([Out(b"main", b"a"), Out(b"main", bytes(MAX_BYTES))], -1, 1)
    with KafkaLog(kafka, writer=True) as log:
        assert len(list(log.events(-1))) == 2, "nothing of that page is there"

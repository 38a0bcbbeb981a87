"""A bank on the real broker that moves from cluster to cluster: work, mirror, adopt, prove."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from engine.epochs import Adopted, adopt
from engine.follower import Follower
from engine.genesis import begin
from engine.log.kafka import KafkaLog
from engine.log.records import BEFORE_FIRST, Out
from engine.log.topics import Kafka
from engine.receipts import Signer, make_signing_key, read_links
from engine.snapshots import load_newest
from engine.worker import Worker
from replay.redecide import redecide
from replay.verify import verify
from tests.histories import ROOT, Bank
from tests.kafka_servers import made

COPIED_MS = 1_790_000_000_000


class Cluster:
    """One place after another, and a bank that goes on in each."""

    def __init__(self, bootstrap: str, folder: Path, seed: int = 3) -> None:
        self.bootstrap = bootstrap
        self.bank = Bank(seed)
        self.folder = folder
        self.signer = Signer(make_signing_key(folder / "signing.pem"))
        self.kafka = dated(bootstrap)
        with KafkaLog(self.kafka, writer=True) as log:
            begin(log, [ROOT], self.bank.now)

    def work(self, steps: int) -> None:
        """Let the bank live, and the follower follow."""
        with Dated(self.kafka, self.bank) as log, KafkaLog(self.kafka) as reader:
            folded = load_newest(self.folder / "snapshots", log)
            worker = Worker(log, folded, clock=self.bank.clock, batch=7)
            self.bank.live(log, steps, worker)  # type: ignore[arg-type]
            worker.close()
            self.follow(reader)

    def follow(self, reader: KafkaLog) -> Follower:
        follower = Follower(reader, self.folder / "snapshots", self.folder, self.signer, sign_s=0.0)
        while follower.step():
            pass
        follower.finish()
        return follower

    def move(self, *, commands: bool = True, events: int | None = None) -> None:
        """A plain mirror: another consumer and producer; headers and values are kept, offsets are not."""
        source, self.kafka = self.kafka, dated(self.bootstrap)
        with KafkaLog(source) as log:
            mirror(self.kafka, self.kafka.events, list(log.events(BEFORE_FIRST))[:events])
            stored = log.commands(BEFORE_FIRST, 1_000_000, 0.0)
            if commands:
                mirror(self.kafka, self.kafka.commands, stored)

    def adopt(self, **more: Any) -> Adopted:
        with KafkaLog(self.kafka, writer=True) as log:
            given = {"commands": "mirrored", "receipts": read_links(self.folder), **more}
            return adopt(log, self.bank.now, "the cluster was lost", **given)

    def proven(self, receipts: int | None = None) -> str:
        """History holds, every receipt ever given fits, and all is decided again as it was."""
        signed = read_links(self.folder)
        with KafkaLog(self.kafka) as log:
            found = verify(log, receipts=signed, public_key=self.signer.public_key, commands_may_wait=True)
            assert found.problems == []
            assert found.receipts == len(signed)
            assert receipts is None or found.receipts >= receipts
            again = redecide(log, commands_may_wait=True)
            assert again.differences == []
            assert again.digest == found.digest
        return found.digest


class Dated(KafkaLog):
    """A log whose commands come at the bank's time, so that its days go by."""

    def __init__(self, kafka: Kafka, bank: Bank) -> None:
        super().__init__(kafka, writer=True)
        self.bank = bank
        self.sender = kafka.producer(linger_ms=0)

    def submit(self, commands: Sequence[Out]) -> Sequence[int]:
        """One by one, for the offsets."""
        offsets: list[int] = []
        producer = self.sender
        for out in commands:
            producer.produce(
                self.kafka.commands,
                out.value,
                out.key,
                0,
                timestamp=self.bank.now,
                on_delivery=lambda error, message: offsets.append(message.offset() or 0),
            )
        assert producer.flush(30) == 0
        return offsets


def dated(bootstrap: str) -> Kafka:
    """A place whose commands keep the time that they were sent with."""
    kafka = made(bootstrap, 1)
    entry = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ResourceType.TOPIC, kafka.commands, incremental_configs=[entry])
    admin = kafka.admin()
    for done in admin.incremental_alter_configs([topic]).values():
        done.result(15)
    return kafka


def mirror(kafka: Kafka, topic: str, records: Any, partition: int = 0) -> None:
    producer = kafka.producer()
    failed: list[object] = []
    for record in records:
        producer.produce(
            topic,
            record.value,
            record.key,
            partition,
            headers=list(record.headers),
            # The time that the cluster gives to commands is that of their copying.
            timestamp=COPIED_MS if topic == kafka.commands else record.time_ms,
            on_delivery=lambda error, message: failed.append(error) if error is not None else None,
        )
    assert producer.flush(30) == 0
    assert failed == []

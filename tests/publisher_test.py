"""The publisher on the real broker: one record a command, none lost or doubled, whoever dies."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.derivation import Host
from engine.derivations import Derivations, share
from engine.embedded import InProcess
from engine.errors import Fenced
from engine.genesis import begin
from engine.log.kafka import KafkaLog
from engine.log.kafka_output import KafkaOutput
from engine.log.records import BEFORE_FIRST, Out, wall_clock
from engine.log.tail import Tail
from engine.log.topics import Kafka
from engine.membership import Membership
from engine.publisher import NAME, Publisher, published
from schemas.books import Administrator, OpenBook
from schemas.catalogue import encode
from schemas.outcomes import decode_outcome
from tests.kafka_engines import SESSION_MS, BankOnKafka, Load, RunOf
from tests.kafka_servers import made
from tests.terminal import until

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ROOT = Administrator(person="ruth", user="root")


def commands(count: int, first: int = 0) -> list[Out]:
    """Commands that open books, and each ninth record is none."""
    outs = []
    for number in range(first, first + count):
        if number % 9 == 8:
            outs.append(Out(b"~system", b"{"))
            continue
        command = OpenBook(
            id=f"c{number}",
            book=f"b{number}",
            actor="root",
            issued_at_ms=wall_clock(),
            name="A book",
            currency="EUR",
            administrators=(ROOT,),
        )
        trace = (("traceparent", PARENT),) if number % 2 else ()
        outs.append(Out(command.book.encode(), encode(command), trace))
    return outs


@contextlib.contextmanager
def engine(kafka: Kafka, partition: int = 0) -> Iterator[InProcess]:
    with KafkaLog(kafka, partition, writer=True) as log:
        begin(log, [ROOT], wall_clock())
    with KafkaLog(kafka, partition, writer=True) as log:
        yield InProcess(log, batch=7)


@contextlib.contextmanager
def publisher(kafka: Kafka, partition: int = 0, *, at_once: int = 20) -> Iterator[Host]:
    with (
        KafkaLog(kafka, partition) as log,
        contextlib.closing(KafkaOutput(kafka, kafka.outcomes, partition, NAME)) as output,
    ):
        yield Host(Publisher(), log, output, at_once=at_once)


def until_all(host: Host, kafka: Kafka, count: int) -> None:
    """A commit that is answered is not at once there for readers."""
    deadline = time.monotonic() + 60
    while host.step() or len(stored(kafka)) < count:
        assert time.monotonic() < deadline


def is_fenced(host: Host) -> bool:
    """Whether it ends as soon as there is something to publish."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            host.step()
        except Fenced:
            return True
    return False


def stored(kafka: Kafka, partition: int = 0) -> list[bytes]:
    return [one.value for one in Tail(kafka, kafka.outcomes, partition).closing(BEFORE_FIRST)]


def right(kafka: Kafka, partition: int = 0) -> list[bytes]:
    with KafkaLog(kafka, partition) as log:
        return [out.value for out in published(list(log.events(BEFORE_FIRST)))]


def test_each_command_has_one_record_in_order_and_a_trace_goes_all_the_way(kafka: Kafka) -> None:
    with engine(kafka) as one, publisher(kafka) as host:
        one.submit(commands(60))
        until_all(host, kafka, 60)
    records = list(Tail(kafka, kafka.outcomes, 0).closing(BEFORE_FIRST))
    outcomes = [decode_outcome(record.value) for record in records]
    assert [record.value for record in records] == right(kafka)
    with KafkaLog(kafka) as log:
        sent = log.commands(BEFORE_FIRST, 1_000, 5.0)
    assert [one.cause for one in outcomes] == [record.offset for record in sent]
    for record, command in zip(records, sent, strict=True):
        carried = [value for name, value in record.headers if name == "traceparent"]
        assert carried == [value for name, value in command.headers]


def test_who_takes_over_goes_on_and_the_one_before_is_fenced(kafka: Kafka) -> None:
    with engine(kafka) as one:
        one.submit(commands(40))
        with publisher(kafka) as zombie:
            zombie.step()
            with publisher(kafka) as host:
                assert is_fenced(zombie)
                host.step()
                one.submit(commands(20, 40))
                with publisher(kafka) as third:
                    until_all(third, kafka, 60)
                one.submit(commands(1, 60))
                assert is_fenced(host)
            with publisher(kafka) as last:
                until_all(last, kafka, 61)
        assert stored(kafka) == right(kafka)


def test_two_publishers_share_the_partitions(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 3)
    stop = threading.Event()
    failed: list[BaseException] = []
    positions: list[Derivations] = []

    def publishes() -> None:
        def ours(partition: int) -> bool:
            return group.confirmed(partition)

        hosts = Derivations(lambda partition: publisher(kafka, partition), ours)
        positions.append(hosts)
        try:
            with Membership(
                kafka, NAME, hosts.gained, hosts.lost, topic=kafka.events, session_ms=6_000
            ) as group:
                share(hosts, group, stop)
        except BaseException as error:
            failed.append(error)
            raise

    members = [threading.Thread(target=publishes) for _ in range(2)]
    with contextlib.ExitStack() as stack:
        engines = [stack.enter_context(engine(kafka, one)) for one in range(3)]
        for member in members:
            member.start()
        try:
            for number in range(0, 60, 2):
                for each in engines:
                    each.submit(commands(2, number))
            until(lambda: all(one.positions for one in positions), 60)
            until(lambda: all(len(stored(kafka, one)) == 60 for one in range(3)), 60)
        finally:
            stop.set()
            for member in members:
                member.join()
    assert not failed
    for one in range(3):
        assert stored(kafka, one) == right(kafka, one)


# --- whole processes --------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_publishers_may_be_killed_and_frozen_at_any_moment(
    seed: int, kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Two at once under load; in each round one is killed, or stands still until it is given up and then
    goes on as if nothing had been.
    """
    chance = random.Random(seed)
    bank = BankOnKafka(tmp_path, kafka_bootstrap, 2)
    running: list[RunOf] = []
    begun = itertools.count()

    def more() -> None:
        """Start who is missing, as whatever keeps the processes of a site running does."""
        running[:] = [one for one in running if one.process.poll() is None]
        while len(running) < 2:
            running.append(RunOf("publisher", bank, next(begun)))

    def all_published() -> bool:
        more()
        return all(
            bank.decided(one) and stored(bank.kafka, one) == right(bank.kafka, one)
            for one in range(bank.partitions)
        )

    try:
        bank.start()
        bank.open_books()
        for one in range(bank.partitions):
            until(functools.partial(bank.decided, one))
        more()
        with Load(bank, a_second=300):
            for _ in range(6):
                time.sleep(chance.uniform(1.0, 5.0))
                victim = running.pop(chance.randrange(2))
                if chance.random() < 0.6:
                    victim.end()
                else:
                    victim.process.send_signal(signal.SIGSTOP)
                    more()
                    time.sleep(SESSION_MS / 1_000 + chance.uniform(2.0, 5.0))
                    victim.process.send_signal(signal.SIGCONT)
                    time.sleep(chance.uniform(0.5, 3.0))
                    victim.end()
                more()
        until(all_published, 120)
        causes = [decode_outcome(value).cause for value in stored(bank.kafka, 0)]
        assert causes == sorted(set(causes))
        assert len(causes) > 100
        last = running.pop()
        last.end(signal.SIGTERM)
        assert last.process.returncode == 0, last.said.read_text()
    finally:
        for process in running:
            process.end()
        bank.end()

"""Epochs: a log that was copied, restored or made anew goes on by an event, and history stays proven."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from book.digest import partition_digest
from engine.epochs import HistoryLost, NotACopy, OtherEpoch, adopt
from engine.errors import WrongUse
from engine.fold import Folded
from engine.log.kafka import KafkaLog
from engine.log.moved import begun
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.log.topics import Kafka
from engine.receipts import read_links, set_aside
from engine.worker import Worker
from projections.position import OtherLog
from projections.projector import Projector
from projections.rebuild import rebuild
from replay.redecide import redecide
from replay.verify import verify
from schemas.books import EpochBegun
from schemas.catalogue import decode_event, encode
from schemas.rejections import CommandRepeated
from tests.clusters import Cluster, Dated, mirror
from tests.histories import Bank


@pytest.fixture
def cluster(kafka_bootstrap: str, tmp_path: Path) -> Cluster:
    cluster = Cluster(kafka_bootstrap, tmp_path)
    cluster.work(60)
    return cluster


def events_of(kafka: Kafka) -> list[Record]:
    with KafkaLog(kafka) as log:
        return list(log.events(BEFORE_FIRST))


@pytest.mark.long
def test_a_copy_is_refused_until_it_is_adopted_and_then_goes_on(cluster: Cluster) -> None:
    digest = cluster.proven()
    first = read_links(cluster.folder)
    for epoch in (1, 2):
        cluster.move()
        with KafkaLog(cluster.kafka, writer=True) as log, pytest.raises(OtherEpoch, match="daybook adopt"):
            Worker(log, clock=cluster.bank.clock)
        adopted = cluster.adopt()
        assert (adopted.epoch, adopted.waiting, adopted.lost) == (epoch, 0, ())
        with pytest.raises(WrongUse, match="nothing to adopt"):
            cluster.adopt()
        assert cluster.proven() == digest, "the epoch's event changes no book"
        cluster.work(40)
        assert {one.epoch_id for one in read_links(cluster.folder)} > {one.epoch_id for one in first}
        digest = cluster.proven()
    outcomes = [decode_event(one.value) for one in events_of(cluster.kafka)]
    named = [(one.epoch, one.cause) for one in outcomes if one.cause >= 0]
    assert named == sorted(named), "outcomes are named in order by epoch and offset"
    assert {epoch for epoch, _ in named} == {0, 1, 2}
    assert sum(isinstance(one, EpochBegun) for one in outcomes) == 2


@pytest.mark.long
def test_read_models_of_a_log_that_was_moved_are_built_anew(cluster: Cluster, postgres_dsn: str) -> None:
    with KafkaLog(cluster.kafka) as log, contextlib.closing(Projector(postgres_dsn, log)) as projector:
        projector.catch_up()
    cluster.move()
    cluster.adopt()
    with KafkaLog(cluster.kafka) as log:
        with pytest.raises(OtherLog, match="daybook replay rebuild"):
            Projector(postgres_dsn, log)
        rebuilt = rebuild(postgres_dsn, log)
        assert (rebuilt.compared, rebuilt.swapped) == (False, True)
        with contextlib.closing(Projector(postgres_dsn, log)) as projector:
            assert projector.catch_up() == 0
        assert rebuild(postgres_dsn, log, compare_only=True).identical


def test_a_command_from_before_gets_its_first_outcome_again(cluster: Cluster) -> None:
    """Whether the commands were carried over or not; nothing is done a second time."""
    with KafkaLog(cluster.kafka) as log:
        stored = list(log.commands(BEFORE_FIRST, 1_000_000, 0.0))
        known = Folded()
        known.apply(log.events(BEFORE_FIRST))
    accepted = [
        one
        for one in events_of(cluster.kafka)
        if (event := decode_event(one.value)).fingerprint and event.book == "main"
    ]
    newest = decode_event(accepted[-1].value)
    again = next(one for one in reversed(stored) if f'"{newest.command}"'.encode() in one.value)
    for way in ("mirrored", "anew"):
        cluster.move(commands=way == "mirrored")
        cluster.adopt(commands=way)
        with Dated(cluster.kafka, cluster.bank) as log:
            last = log.last_event_offset()
            worker = Worker(log, clock=cluster.bank.clock, batch=7)
            log.submit([Out(again.key, again.value)])
            while not worker.step(1.0):
                pass
            worker.settle()
            told = [decode_event(one.value) for one in log.events(last)]
        (repeated,) = (one for one in told if one.command == newest.command)
        assert isinstance(repeated, CommandRepeated)
        assert repeated.first_seq == newest.seq
        cluster.proven()


@pytest.mark.long
def test_commands_that_were_not_answered_are_decided_after(cluster: Cluster) -> None:
    """The mirror of the events was behind that of the commands: what they had answered is answered anew."""
    records = events_of(cluster.kafka)
    ends = [index for index, one in enumerate(records) if one.headers]
    kept = ends[-6] + 1
    cluster.move(events=kept)
    with pytest.raises(HistoryLost, match="receipts vouch for events that this log lacks"):
        cluster.adopt()
    adopted = cluster.adopt(accept_loss=True)
    causes = {event.cause for one in records[kept:] if (event := decode_event(one.value)).cause >= 0}
    assert adopted.waiting == len(causes) > 0
    assert adopted.lost
    aside = set_aside(cluster.folder, adopted.lost, "lost.ndjson")
    assert len(aside.read_bytes().splitlines()) == len(adopted.lost)
    with KafkaLog(cluster.kafka, writer=True) as log:
        worker = Worker(log, clock=cluster.bank.clock, batch=7)
        decided = 0
        while decided < adopted.waiting:
            decided += worker.step(1.0)
        worker.settle()
        assert worker.position == log.last_command_offset()
    cluster.proven()


@pytest.mark.long
def test_what_is_no_whole_copy_is_refused(cluster: Cluster) -> None:
    records = events_of(cluster.kafka)
    within = next(i for i, one in enumerate(records) if i > 50 and not one.headers)
    cluster.move(events=within + 1)
    with pytest.raises(NotACopy, match="no whole page"):
        cluster.adopt(accept_loss=True)


@pytest.mark.long
def test_commands_in_another_order_are_refused(kafka_bootstrap: str, cluster: Cluster) -> None:
    source = cluster.kafka
    cluster.move(commands=False)
    with KafkaLog(source) as log:
        stored = list(log.commands(BEFORE_FIRST, 1_000_000, 0.0))
    random.Random(4).shuffle(stored[20:])
    stored[30], stored[31] = stored[31], stored[30]
    mirror(cluster.kafka, cluster.kafka.commands, stored)
    with pytest.raises(NotACopy, match="are not those that the events answer"):
        cluster.adopt()


@pytest.mark.long
def test_the_front_of_the_commands_may_be_gone(cluster: Cluster) -> None:
    source = cluster.kafka
    cluster.move(commands=False)
    with KafkaLog(source) as log:
        stored = list(log.commands(BEFORE_FIRST, 1_000_000, 0.0))
    mirror(cluster.kafka, cluster.kafka.commands, stored[25:])
    assert cluster.adopt().carried == len(stored) - 25
    cluster.work(20)
    with KafkaLog(cluster.kafka) as log:
        assert verify(log, commands_may_wait=True).problems == []
        assert redecide(log, commands_may_wait=True).differences == []


def test_a_restored_home_goes_on_in_an_epoch_of_its_own(tmp_path: Path) -> None:
    bank = Bank(5)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", clock=bank.clock) as log:
        bank.begin(log)
        bank.live(log, 80)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", clock=bank.clock) as log:
        assert adopt(log, bank.now, "restored", commands="mirrored").epoch == 1
        bank.live(log, 40, Worker(log, clock=bank.clock, batch=7))
    with RecorderLog.sqlite(tmp_path / "log.sqlite", writer=False) as log:
        found = verify(log)
        assert found.problems == []
        assert redecide(log).differences == []
        epochs = [event for one in log.events(BEFORE_FIRST) if (event := begun(one)) is not None]
        assert [one.reason for one in epochs] == ["restored"]
        folded = Folded()
        folded.apply(log.events(BEFORE_FIRST))
        assert partition_digest(folded.partition) == found.digest
        assert folded.partition.epoch_id == epochs[0].epoch_id


def test_an_event_that_speaks_of_epochs_is_none() -> None:
    event = EpochBegun(
        epoch_id="e", position=1, carried=1, carried_epoch=0, carried_cause=0, reason="", book="~system"
    )
    record = Record(b"~system", encode(event), 0, 0)
    assert begun(record) == event
    assert begun(Record(b"main", record.value, 0, 0)) is None
    assert begun(Record(b"~system", b'{"type":"Other","reason":"EpochBegun"}', 0, 0)) is None
    assert begun(Record(b"~system", b'{"type":"Other","reason":"\\"EpochBegun\\""}', 0, 0)) is None

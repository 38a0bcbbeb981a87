"""A site whose topics are not as they were made: trimmed on purpose, it goes on; changed, nobody starts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions

from console import archiving
from console.output import Output
from console.sites import Topics, make_home
from engine.errors import LogCorrupt
from engine.fold import Folded
from engine.follower import Follower
from engine.home import HomeFile
from engine.kafka_service import serve
from engine.log.kafka import KafkaCommands, KafkaLog
from engine.log.records import BEFORE_FIRST
from engine.log.topic_settings import WrongTopics, check
from engine.log.trimming import remove_before
from engine.membership import Membership
from engine.owner import Deciding, Owner
from engine.receipts import Signer, read_signing_key
from engine.site import Site
from engine.snapshots import load_newest, write_snapshot
from engine.worker import Worker
from replay.verify import verify_all
from tests.kafka_engines import USER, BankOnKafka
from tests.terminal import until


class Alone(Membership):
    """A group of one, whose partitions are always its own."""

    def __init__(self) -> None:
        pass

    def confirmed(self, partition: int, position: int = 0) -> bool:
        return True

    def report(self, partition: int, position: int) -> None:
        pass


@contextlib.contextmanager
def owned(site: BankOnKafka) -> Iterator[Owner]:
    """The engine's own way to a partition, without a process of its own."""

    def load(log: KafkaLog) -> Folded | None:
        return load_newest(site.site.snapshots(0), log)

    def begin(log: KafkaLog, folded: Folded) -> Deciding:
        worker = Worker(log, folded, overlapped=log)
        return Deciding(worker, lambda: None, worker.close)

    owner = Owner(site.kafka, 0, Alone(), load, begin)
    owner.start()
    try:
        yield owner
    finally:
        owner.stop()
        assert owner.gone(20)


def trimmed(site: BankOnKafka) -> Folded:
    """Decide what is there, and have both topics begin where the snapshot of it is."""
    with owned(site) as owner, KafkaLog(site.kafka) as log:
        until(lambda: owner.failure is not None or log.last_event_offset() > 3)
    with KafkaLog(site.kafka) as log:
        folded = Folded()
        folded.apply(log.events(BEFORE_FIRST))
    remove_before(site.kafka, 0, event=folded.offset, command=folded.partition.position + 1)
    return folded


def test_an_engine_starts_on_a_trimmed_log_and_init_leaves_it_alone(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    site = BankOnKafka(tmp_path, kafka_bootstrap, 1)
    site.open_books()
    write_snapshot(site.site.snapshots(0), folded := trimmed(site))
    assert not make_home(site.site.home.root, site.settings, HomeFile(1, USER, log="kafka"), Topics(1, 1))
    with owned(site) as owner:
        until(lambda: owner.decides or owner.failure is not None)
        assert owner.failure is None
    with KafkaLog(site.kafka) as log:
        assert log.last_event_offset() == folded.offset, "nothing was decided again"


def test_what_the_command_archives_and_removes_is_still_read_and_the_engine_goes_on(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    bank = BankOnKafka(tmp_path, kafka_bootstrap, 1)
    bank.open_books()
    with owned(bank) as owner, KafkaLog(bank.kafka) as log:
        until(lambda: owner.failure is not None or log.last_event_offset() > 3)
    home = bank.site.home
    settings = bank.settings.model_copy(update={"archive": str(tmp_path / "archive")})
    site = Site(home, settings)
    site.receipts(0).mkdir(exist_ok=True)
    with site.read() as reader:
        signer = Signer(read_signing_key(home.signing_key), 0)
        follower = Follower(reader, site.snapshots(0), site.receipts(0), signer)
        while follower.step():
            pass
        follower.finish()
    archiving.run(Output(json=True), home, settings, trim=True)
    with KafkaLog(bank.kafka) as log:
        assert log.first_offset("events") > 0
        assert log.first_offset("commands") > 0
        before = log.last_event_offset()
        with owned(bank) as owner:
            until(lambda: owner.decides or owner.failure is not None)
            assert owner.failure is None
            KafkaCommands(bank.kafka).submit([bank.transfer(0, "after")])
            until(lambda: owner.failure is not None or log.last_event_offset() > before)
    verified = verify_all(site.readers(), commands_may_wait=True)
    assert verified.problems == []
    assert verified.events > 5


def test_a_log_whose_beginning_is_gone_and_nowhere_else_is_refused(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    site = BankOnKafka(tmp_path, kafka_bootstrap, 1)
    site.open_books()
    trimmed(site)
    with owned(site) as owner:
        until(lambda: owner.decides or owner.failure is not None)
        assert isinstance(owner.failure, LogCorrupt)
        assert "removed by retention" in owner.failure.what


def test_an_engine_does_not_start_on_topics_that_lose_something(kafka_bootstrap: str, tmp_path: Path) -> None:
    site = BankOnKafka(tmp_path, kafka_bootstrap, 1)
    entry = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, site.kafka.events, incremental_configs=[entry])
    admin = site.kafka.admin()
    for done in admin.incremental_alter_configs([resource]).values():
        done.result()
    until(lambda: check(site.kafka) != [])
    with pytest.raises(WrongTopics, match=r"cleanup\.policy is compact, not delete"):
        serve(site.site.home, site.settings)


def test_an_engine_does_not_start_when_all_topics_were_given_more_partitions(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    site = BankOnKafka(tmp_path, kafka_bootstrap, 1)
    names = (site.kafka.commands, site.kafka.events, site.kafka.outcomes)
    admin = site.kafka.admin()
    for done in admin.create_partitions([NewPartitions(name, 2) for name in names]).values():
        done.result()
    until(lambda: all(site.kafka.partitions(name) == 2 for name in names))
    with pytest.raises(WrongTopics, match="it has 2 partitions, not 1"):
        serve(site.site.home, site.settings)

"""Followers: each partition has a state, snapshots and receipts of its own; they take turns in one thread."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from book.digest import partition_digest
from engine.errors import LogCorrupt
from engine.fold import Folded
from engine.follower import Follower
from engine.followers import Followers, read_ahead_kb
from engine.log.kafka import KafkaLog
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, BookLog, Out
from engine.places import place_at
from engine.receipts import Signer, is_signed, make_signing_key, read_links
from engine.snapshots import load_newest
from replay.verify import verify_all
from tests.histories import busy_bank
from tests.kafka_servers import made


def copied(history: MemoryLog, log: KafkaLog) -> None:
    """Write the events of a history into a partition, page by page, as an engine does."""
    page = []
    for record in history.events(BEFORE_FIRST):
        page.append(record)
        if record.headers:
            log.commit([Out(one.key, one.value, one.headers) for one in page], BEFORE_FIRST, record.time_ms)
            page = []
    assert not page


class Site:
    """Partitions in memory, and where their followers keep things."""

    def __init__(self, folder: Path, partitions: int) -> None:
        self.logs = [busy_bank(number, 120) for number in range(partitions)]
        self.key = make_signing_key(folder / "signing.pem")
        self.folder = folder
        self.snapshots = place_at(f"memory://{secrets.token_hex(4)}")
        self.open: set[int] = set()

    @contextlib.contextmanager
    def reader(self, partition: int) -> Iterator[BookLog]:
        self.open.add(partition)
        try:
            yield self.logs[partition].reader()
        finally:
            self.open.remove(partition)

    def receipts(self, partition: int) -> Path:
        folder = self.folder / str(partition)
        folder.mkdir(exist_ok=True)
        return folder

    def follower(self, partition: int, log: BookLog) -> Follower:
        return Follower(
            log,
            self.snapshots.of(str(partition)),
            self.receipts(partition),
            Signer(self.key, partition),
            sign_s=0.0,
        )


def test_each_partition_has_its_own_state_snapshots_and_receipts(tmp_path: Path) -> None:
    site = Site(tmp_path, 3)
    followers = Followers(site.reader, site.follower)
    followers.gained([0, 1, 2])
    followers.gained([1])
    assert followers.partitions == {0, 1, 2}
    while followers.step():
        pass
    followers.close()
    assert site.open == set()
    for partition, log in enumerate(site.logs):
        links = read_links(site.receipts(partition))
        assert {one.partition for one in links} == {partition}
        assert all(is_signed(one, site.key.public_key()) for one in links)
        found = verify_all([(partition, log.reader())], receipts=links, public_key=site.key.public_key())
        assert (found.problems, found.receipts, found.unsigned_tail) == ([], len(links), 0)
        loaded = load_newest(site.snapshots.of(str(partition)), log)
        whole = Folded()
        whole.apply(log.events(BEFORE_FIRST))
        assert loaded is not None
        assert partition_digest(loaded.partition) == partition_digest(whole.partition)
    assert load_newest(site.snapshots.of("0"), site.logs[1]) is None


def test_a_partition_that_is_lost_is_signed_and_closed_and_the_others_go_on(tmp_path: Path) -> None:
    site = Site(tmp_path, 2)
    followers = Followers(site.reader, site.follower)
    followers.gained([0, 1])
    followers.step()
    followers.step()
    assert followers.partitions == site.open == {0, 1}
    followers.lost([0, 7])
    assert followers.partitions == site.open == {1}
    assert read_links(site.receipts(0))[-1].offset == site.logs[0].last_event_offset()
    followers.gained([0])
    assert followers.partitions == {0, 1}
    followers.close()


def test_a_partition_that_cannot_be_taken_up_leaves_nothing_open(tmp_path: Path) -> None:
    site = Site(tmp_path, 2)
    followers = Followers(site.reader, site.follower)
    followers.gained([0])
    followers.step()
    followers.close()
    site.logs[0] = busy_bank(9, 5)
    again = Followers(site.reader, site.follower)
    again.gained([0])
    with pytest.raises(LogCorrupt):
        again.step()
    assert again.partitions == site.open == set()


def test_what_is_fetched_ahead_is_shared() -> None:
    assert read_ahead_kb(1) == 128 << 10
    assert read_ahead_kb(4) * 4 == 128 << 10
    assert read_ahead_kb(0) > 0
    assert read_ahead_kb(10_000) == 4 << 10


def test_followers_follow_partitions_in_kafka(tmp_path: Path, kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 2)
    site = Site(tmp_path, 2)
    for partition, history in enumerate(site.logs):
        with KafkaLog(kafka, partition, writer=True) as log:
            copied(history, log)
    followers = Followers(lambda partition: KafkaLog(kafka, partition), site.follower)
    followers.gained([0, 1])
    while followers.step():
        pass
    followers.close()
    for partition in (0, 1):
        with KafkaLog(kafka, partition) as log:
            newest = read_links(site.receipts(partition))[-1]
            assert (newest.partition, newest.offset) == (partition, log.last_event_offset())
            loaded = load_newest(site.snapshots.of(str(partition)), log)
            assert loaded is not None
            assert loaded.offset == newest.offset
        with KafkaLog(kafka, 1 - partition) as other:
            assert load_newest(site.snapshots.of(str(partition)), other) is None

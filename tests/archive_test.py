"""The archive: what is removed from the topics is still read as the one log that it was."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from engine import archive as archives
from engine.archive import Archive, ArchiveDamaged, NotArchived, archive
from engine.errors import LogCorrupt
from engine.fold import Folded
from engine.log.archived import ArchivedLog
from engine.log.kafka import KafkaLog
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST
from engine.log.trimming import remove_before
from engine.places import Place, place_at
from engine.receipts import Receipt, Signer, make_signing_key, read_links
from engine.snapshots import load_newest
from projections.projector import Projector
from projections.rebuild import rebuild
from replay.as_of import as_of
from replay.redecide import redecide
from replay.verify import verify
from tests.clusters import Cluster
from tests.histories import busy_bank


class Stored:
    """A bank's log in memory, and its archive."""

    def __init__(self, folder: Path, seed: int = 4) -> None:
        self.log: MemoryLog = busy_bank(seed, 200)
        self.place: Place = place_at(folder / "archive")
        self.signer = Signer(make_signing_key(folder / "signing.pem"))
        self.folded = Folded()
        self.folded.apply(self.log.events(BEFORE_FIRST))
        self.archive = Archive(self.place, 0, self.folded.partition.epoch_id)

    def receipt(self, until: int | None = None) -> Receipt:
        folded = Folded()
        folded.apply(one for one in self.log.events(BEFORE_FIRST) if until is None or one.offset <= until)
        seqs = {name: book.seq for name, book in folded.partition.books.items()}
        return self.signer.sign(folded.partition.epoch_id, folded.offset, seqs, folded.link, 0)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stored:
    monkeypatch.setattr(archives, "RANGE_RECORDS", 50)
    return Stored(tmp_path)


def ends(log: MemoryLog) -> list[int]:
    return [one.offset for one in log.events(BEFORE_FIRST) if one.headers]


def test_what_is_archived_is_what_the_log_held_to_the_byte(stored: Stored) -> None:
    half = ends(stored.log)[len(ends(stored.log)) // 2]
    first = archive(stored.log.reader(), stored.archive, stored.receipt(half))
    assert first.events_through == half
    second = archive(stored.log.reader(), stored.archive, stored.receipt())
    assert second.events > 0
    assert archive(stored.log.reader(), stored.archive, stored.receipt()).files == 0
    assert list(stored.archive.records("events", -1)) == list(stored.log.events(-1))
    assert list(stored.archive.records("commands", -1)) == list(stored.log.commands(-1, 1_000_000, 0.0))
    assert len(stored.archive.spans("events")) > 3
    assert stored.archive.link() == stored.folded.link
    last = stored.archive.last("events")
    assert list(stored.archive.records("events", last)) == []
    assert [one.offset for one in stored.archive.records("events", last - 1)] == [last]


def test_only_what_was_signed_is_archived(stored: Stored) -> None:
    good = stored.receipt()
    wrong = stored.signer.sign(good.epoch_id, good.offset, good.books, bytes(32), 0)
    with pytest.raises(NotArchived, match="are not those that were signed"):
        archive(stored.log.reader(), stored.archive, wrong)
    other = stored.signer.sign("another", good.offset, good.books, bytes.fromhex(good.link), 0)
    with pytest.raises(NotArchived, match="in the epoch another"):
        archive(stored.log.reader(), stored.archive, other)
    assert stored.archive.spans("events") == stored.archive.spans("commands") == []


def test_a_file_that_was_changed_or_is_missing_is_found(stored: Stored, tmp_path: Path) -> None:
    archive(stored.log.reader(), stored.archive, stored.receipt())
    files = sorted(tmp_path.rglob("events-*.archive"))
    content = files[1].read_bytes()
    for place in (0, 20, 60, len(content) - 1):
        files[1].write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ArchiveDamaged, match="damaged"):
            list(Archive(stored.place, 0, stored.archive.epoch_id).records("events", -1))
    files[1].write_bytes(files[2].read_bytes())
    with pytest.raises(ArchiveDamaged, match="another file under that name"):
        list(Archive(stored.place, 0, stored.archive.epoch_id).records("events", -1))
    files[1].unlink()
    with pytest.raises(ArchiveDamaged, match="what is between is missing"):
        stored.archive.last("events")


def test_what_the_store_loses_while_it_is_written_is_found(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Place.write

    def torn(place: Place, name: str, content: bytes) -> str:
        return write(place, name, content[:-1])

    monkeypatch.setattr(Place, "write", torn)
    with pytest.raises(ArchiveDamaged):
        archive(stored.log.reader(), stored.archive, stored.receipt())


# --- on Kafka -----------------------------------------------------------------------------------------


@pytest.fixture
def cluster(kafka_bootstrap: str, tmp_path: Path) -> Cluster:
    cluster = Cluster(kafka_bootstrap, tmp_path, seed=6)
    cluster.work(60)
    return cluster


def joined(cluster: Cluster) -> ArchivedLog:
    log = KafkaLog(cluster.kafka)
    return ArchivedLog(log, Archive(place_at(cluster.folder / "archive"), 0, log.epoch_id()))


def archived_and_removed(cluster: Cluster) -> tuple[int, int]:
    """Archive all that is signed, and have the topics begin where the newest snapshot is."""
    with joined(cluster) as log:
        added = archive(log, log.archive, read_links(cluster.folder)[-1])
        assert added.files > 0
        folded = load_newest(cluster.folder / "snapshots", log)
        assert folded is not None
        event, command = folded.offset, folded.partition.position + 1
        remove_before(cluster.kafka, 0, event=event, command=command)
        assert (log.log.first_offset("events"), log.log.first_offset("commands")) == (event, command)
    return event, command


@pytest.mark.long
def test_history_is_whole_although_the_topics_begin_late(cluster: Cluster, postgres_dsn: str) -> None:
    before = cluster.proven()
    with KafkaLog(cluster.kafka) as topic, contextlib.closing(Projector(postgres_dsn, topic)) as projector:
        events = projector.catch_up()
    archived_and_removed(cluster)
    with KafkaLog(cluster.kafka) as topic, pytest.raises(LogCorrupt, match="removed by retention"):
        list(topic.events(BEFORE_FIRST))
    with joined(cluster) as log:
        found = verify(
            log,
            receipts=read_links(cluster.folder),
            public_key=cluster.signer.public_key,
            commands_may_wait=True,
        )
        assert (found.problems, found.digest) == ([], before)
        again = redecide(log, commands_may_wait=True)
        assert (again.differences, again.digest, again.compared > 0) == ([], before, True)
        assert as_of(log, "main", seq=20).book.seq == 20
        rebuilt = rebuild(postgres_dsn, log)
        assert (rebuilt.compared, rebuilt.identical, rebuilt.events) == (True, True, events)
    # The engine starts from the snapshot, goes on, and what is new is archived behind the old.
    cluster.work(30)
    archived_and_removed(cluster)
    with joined(cluster) as log:
        found = verify(log, receipts=read_links(cluster.folder), commands_may_wait=True)
        assert found.problems == []
        assert found.events > events
        assert redecide(log, commands_may_wait=True).digest == found.digest
        assert list(log.events(log.last_event_offset())) == []


@pytest.mark.long
def test_a_gap_between_archive_and_topic_is_refused(cluster: Cluster) -> None:
    with joined(cluster) as log:
        archive(log, log.archive, read_links(cluster.folder)[0])
        last, newest = log.archive.last("events"), log.last_event_offset()
    cluster.work(10)
    remove_before(cluster.kafka, 0, event=newest + 5, command=0)
    with joined(cluster) as log:
        with pytest.raises(LogCorrupt, match=f"at offset {last}, .* begins at {newest + 5}:"):
            list(log.events(BEFORE_FIRST))
        assert verify(log, commands_may_wait=True).problems

"""Snapshots and the follower: a state from a snapshot and the tail is the state from the beginning."""

from __future__ import annotations

from pathlib import Path

import pytest

from book.digest import book_digest, partition_digest
from book.state import Partition
from engine import snapshots
from engine.errors import LogCorrupt
from engine.files import write_whole
from engine.fold import Folded
from engine.follower import Follower
from engine.links import link_of
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST
from engine.receipts import Signer, make_signing_key, read_links
from engine.snapshots import decode_snapshot, encode_snapshot, load_newest, write_snapshot
from engine.worker import Worker
from replay.verify import verify
from tests.histories import Bank, Recorded, busy_bank


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank(5)


def page_ends(log: MemoryLog | Recorded) -> list[int]:
    return [record.offset for record in log.events(BEFORE_FIRST) if link_of(record.headers)]


def folded_through(log: MemoryLog | Recorded, offset: int) -> Folded:
    folded = Folded()
    folded.apply(record for record in log.events(BEFORE_FIRST) if record.offset <= offset)
    return folded


def digests(partition: Partition) -> dict[str, str]:
    return {name: book_digest(book) for name, book in partition.books.items()}


def same(one: Folded, other: Folded) -> None:
    """Equal to the order of keys and the shape of the timers' heap, which the digest leaves out."""
    assert encode_snapshot(one) == encode_snapshot(other)
    assert one.partition == other.partition
    assert digests(one.partition) == digests(other.partition)
    assert (one.offset, one.link) == (other.offset, other.link)


def test_what_is_loaded_is_what_was_written_at_every_page(bank: MemoryLog) -> None:
    whole = folded_through(bank, bank.last_event_offset())
    for offset in page_ends(bank)[::7]:
        folded = folded_through(bank, offset)
        loaded = decode_snapshot(encode_snapshot(folded))
        assert loaded is not None
        same(loaded, folded)
        loaded.apply(bank.events(loaded.offset))
        assert digests(loaded.partition) == digests(whole.partition)
        assert loaded.partition.position == whole.partition.position


def test_deciding_goes_on_from_a_snapshot_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    logs = []
    for interrupted in (False, True):
        bank = Bank(6)
        log = MemoryLog(clock=bank.clock)
        bank.begin(log)
        worker = bank.live(log, 150)
        for _ in range(4):
            if interrupted:
                follower = Follower(log.reader(), tmp_path / "snapshots")
                while follower.step():
                    pass
                follower.finish()
                folded = load_newest(tmp_path / "snapshots", log)
                assert folded is not None
                assert folded.offset == log.last_event_offset()
                worker = Worker(log, folded, clock=bank.clock, batch=7)
            bank.live(log, 60, worker)
        logs.append([record.value for record in log.events(BEFORE_FIRST)][1:])
    assert logs[0] == logs[1]


def test_a_remembered_key_is_one_string_in_memory(bank: MemoryLog) -> None:
    loaded = decode_snapshot(encode_snapshot(folded_through(bank, bank.last_event_offset())))
    assert loaded is not None
    repeats = loaded.partition.books["main"].repeats
    known = {id(key) for key in repeats.seen}
    assert repeats.buckets
    assert all(id(key) in known for bucket in repeats.buckets for key in bucket.keys)


def test_the_newest_whole_snapshot_is_loaded(tmp_path: Path, bank: MemoryLog) -> None:
    ends = page_ends(bank)
    paths = [write_snapshot(tmp_path, folded_through(bank, ends[i])) for i in (10, 20, 30)]

    def loaded() -> int:
        found = load_newest(tmp_path, bank)
        return found.offset if found else BEFORE_FIRST

    assert loaded() == ends[30]
    content = paths[2].read_bytes()
    paths[2].write_bytes(content[:-1])
    assert loaded() == ends[20]
    paths[2].write_bytes(content)
    assert loaded() == ends[30]
    for place in (0, 30, len(content) // 2, len(content) - 1):
        paths[2].write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert loaded() == ends[20], place
    paths[2].write_bytes(b"")
    paths[1].write_bytes(b"rubbish")
    assert loaded() == ends[10]
    paths[0].unlink()
    assert loaded() == BEFORE_FIRST


def test_no_folder_is_no_snapshot(tmp_path: Path, bank: MemoryLog) -> None:
    assert load_newest(tmp_path / "none", bank) is None


def test_a_snapshot_of_another_shape_is_not_seen(
    tmp_path: Path, bank: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_snapshot(tmp_path, folded_through(bank, page_ends(bank)[5]))
    monkeypatch.setattr(snapshots, "schema_digest", lambda: "f" * 64)
    assert load_newest(tmp_path, bank) is None
    assert decode_snapshot(path.read_bytes()) is None


def test_only_the_newest_are_kept(tmp_path: Path, bank: MemoryLog) -> None:
    paths = [write_snapshot(tmp_path, folded_through(bank, end), keep=2) for end in page_ends(bank)[:5]]
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    assert sorted(tmp_path.rglob("*.*")) == paths[3:]


def test_a_snapshot_that_could_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="there"):
        write_whole(tmp_path / "there", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_snapshot_of_another_history_is_refused(tmp_path: Path, bank: MemoryLog) -> None:
    end = page_ends(bank)[20]
    write_snapshot(tmp_path, folded_through(bank, end))
    assert load_newest(tmp_path, busy_bank(7)) is None  # its epoch is another, so its links are
    older = Recorded(bank)
    older.event_records = [record for record in older.event_records if record.offset < end]
    assert load_newest(tmp_path, older) is None  # type: ignore[arg-type]
    unlinked = folded_through(bank, end - 1)
    assert unlinked.offset == end - 1
    write_snapshot(tmp_path / "within", unlinked)
    assert load_newest(tmp_path / "within", bank) is None


# --- the follower -------------------------------------------------------------------------------------


def test_the_follower_signs_what_it_has_folded(tmp_path: Path) -> None:
    bank = Bank(8)
    signer = Signer(make_signing_key(tmp_path / "signing.pem"))
    with RecorderLog.sqlite(tmp_path / "log.sqlite", clock=bank.clock) as log:
        bank.begin(log)
        with RecorderLog.sqlite(tmp_path / "log.sqlite", writer=False) as reader:
            follower = Follower(
                reader, tmp_path / "snapshots", tmp_path, signer, snapshot_events=100, sign_s=0.0
            )
            worker = None
            for _ in range(5):
                worker = bank.live(log, 60, worker)
                while follower.step():
                    pass
            follower.finish()
            signed = read_links(tmp_path)
            result = verify(reader, receipts=signed, public_key=signer.public_key)
            assert (result.problems, result.receipts, result.unsigned_tail) == ([], len(signed), 0)
            assert len(signed) == 5
            assert worker is not None
            assert partition_digest(follower.folded.partition) == partition_digest(worker.folded.partition)
            found = load_newest(tmp_path / "snapshots", reader)
            assert found is not None
            assert found.offset == reader.last_event_offset()
            # and one that starts again signs nothing anew
            again = Follower(reader, tmp_path / "snapshots", tmp_path, signer, sign_s=0.0)
            assert again.step() == 0
            again.finish()
            assert read_links(tmp_path) == signed


def test_what_is_not_signed_yet_is_reported(tmp_path: Path, bank: MemoryLog) -> None:
    signer = Signer(make_signing_key(tmp_path / "signing.pem"))
    end = page_ends(bank)[-4]
    part = Recorded(bank)
    part.event_records = [record for record in part.event_records if record.offset <= end]
    follower = Follower(part, tmp_path / "snapshots", tmp_path, signer)  # type: ignore[arg-type]
    follower.step()
    result = verify(bank.reader(), receipts=read_links(tmp_path), public_key=signer.public_key)
    assert result.ok
    assert result.unsigned_tail == result.events - len(part.event_records) > 0


def test_the_follower_stops_at_a_broken_link_and_signs_nothing_of_it(tmp_path: Path, bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: getattr(event, "reference", "") != "", 20)
    log.change(index, reference="another")
    offset = log.event_records[index].offset
    signer = Signer(make_signing_key(tmp_path / "signing.pem"))
    follower = Follower(log, tmp_path / "snapshots", tmp_path, signer, snapshot_events=1)  # type: ignore[arg-type]
    end = min(one for one in page_ends(log) if one >= offset)
    with pytest.raises(LogCorrupt, match=rf"up to {end} are not those that were written"):
        follower.step()
    assert read_links(tmp_path) == []
    assert list((tmp_path).rglob("*.snapshot")) == []


def test_the_follower_names_the_event_that_does_not_follow(tmp_path: Path, bank: MemoryLog) -> None:
    log = Recorded(bank)
    dropped = log.find(lambda event: event.book == "main" and event.seq == 49)
    behind = log.find(lambda event: event.book == "main" and event.seq == 50)
    offset = log.event_records[behind].offset
    del log.event_records[dropped]
    log.relink()
    what = rf"The event at offset {offset} \(book main, behind seq 48\) does not follow"
    with pytest.raises(LogCorrupt, match=what):
        Follower(log, tmp_path).step()  # type: ignore[arg-type]


def test_the_follower_refuses_a_log_without_what_it_has_signed(tmp_path: Path, bank: MemoryLog) -> None:
    signer = Signer(make_signing_key(tmp_path / "signing.pem"))
    Follower(bank.reader(), tmp_path / "snapshots", tmp_path, signer).step()
    older = Recorded(bank)
    end = page_ends(bank)[-2]
    older.event_records = [record for record in older.event_records if record.offset <= end]
    with pytest.raises(LogCorrupt, match="the log ends before that"):
        Follower(older, tmp_path / "snapshots", tmp_path, signer)  # type: ignore[arg-type]
    other = Recorded(bank)
    other.change(other.find(lambda event: getattr(event, "reference", "") != ""), reference="another")
    other.relink()
    with pytest.raises(LogCorrupt, match="the log holds another history there"):
        Follower(other, tmp_path / "snapshots", tmp_path, signer)  # type: ignore[arg-type]

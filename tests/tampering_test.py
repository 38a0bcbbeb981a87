"""Tampering with a real log file: verify names the place, with a receipt where one is needed, else none."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.errors import LogCorrupt
from engine.follower import Follower
from engine.links import FIRST_LINK, next_link
from engine.log.pages import Row, decode
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, LINK
from engine.receipts import Receipt, Signer, make_signing_key, read_links
from engine.snapshots import load_newest
from replay.redecide import redecide
from replay.verify import Verified, verify
from schemas.catalogue import decode_event
from schemas.transfers import TransferPosted
from tests.histories import Bank

EVENTS, COMMANDS = "events-0", "commands-0"


class Site:
    """A log file, what its follower has signed, and copies of both from before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "log.sqlite"
        self.signer = Signer(make_signing_key(folder / "signing.pem"))

    def follow(self) -> None:
        with RecorderLog.sqlite(self.path, writer=False) as reader:
            follower = Follower(reader, self.folder / "snapshots", self.folder, self.signer, sign_s=0.0)
            while follower.step():
                pass
            follower.finish()

    def receipts(self) -> list[Receipt]:
        return read_links(self.folder)

    def verify(self, receipts: list[Receipt] | None = None) -> Verified:
        with RecorderLog.sqlite(self.path, writer=False) as reader:
            return verify(reader, receipts=receipts or (), public_key=self.signer.public_key)

    def problems(self, receipts: list[Receipt] | None = None) -> list[str]:
        return [str(problem) for problem in self.verify(receipts).problems]

    # --- what a forger with the code and the file can do ---------------------------------------------

    def rows(self, stream: str) -> list[Row]:
        with closing(sqlite3.connect(self.path)) as database:
            found = database.execute(
                "SELECT originator_version, state FROM pages WHERE originator_id = ? ORDER BY 1", (stream,)
            ).fetchall()
        return [decode(stream, page, state) for page, state in found]

    def store(self, row: Row, *, checksum: bool = True) -> None:
        """Write a page's row back, with a checksum that fits unless told."""
        body = msgspec.msgpack.encode(row)
        crc = zlib.crc32(body) if checksum else 0
        with closing(sqlite3.connect(self.path)) as database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(
                "UPDATE pages SET state = ? WHERE originator_id = ? AND originator_version = ?",
                (crc.to_bytes(4, "big") + body, row.stream, row.page),
            )
            database.commit()

    def cut(self, page: int, *streams: str) -> None:
        """Remove the pages from this one on."""
        with closing(sqlite3.connect(self.path)) as database:
            for stream in streams:
                database.execute(
                    "DELETE FROM pages WHERE originator_id = ? AND originator_version >= ?", (stream, page)
                )
            database.commit()

    def relink(self) -> None:
        """Make every link valid."""
        link = FIRST_LINK
        for row in self.rows(EVENTS):
            link = next_link(link, row.values)
            headers = [(len(row.values) - 1, ((LINK, link),))]
            self.store(msgspec.structs.replace(row, names=[], columns=[], sparse=headers))

    def find(self) -> tuple[int, int]:
        """Page and index in it of a customer's transfer in the middle, with others before it in its page."""
        for row in self.rows(EVENTS)[20:]:
            for index, value in enumerate(row.values):
                event = decode_event(value)
                if index and isinstance(event, TransferPosted) and event.reference:
                    return row.page, index
        raise AssertionError("the history has a transfer in the middle of a page")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A history that was signed twice: in the middle, where a copy was made, and at its end."""
    site = Site(tmp_path_factory.mktemp("original"))
    write(site, Bank(11))
    return site


def write(site: Site, bank: Bank) -> None:
    with RecorderLog.sqlite(site.path, clock=bank.clock) as log:
        bank.begin(log)
        worker = bank.live(log, 150)
        site.follow()
        with (
            closing(sqlite3.connect(site.path)) as here,
            closing(sqlite3.connect(site.folder / "old")) as there,
        ):
            here.backup(there)
        bank.live(log, 150, worker)
        site.follow()


@pytest.fixture
def site(original: Site, tmp_path: Path) -> Site:
    shutil.copytree(original.folder, tmp_path, dirs_exist_ok=True)
    copy = Site.__new__(Site)
    copy.folder, copy.path, copy.signer = tmp_path, tmp_path / original.path.name, original.signer
    return copy


def place(row: Row, index: int) -> str:
    event = decode_event(row.values[index])
    return f"book {event.book}, seq {event.seq}, offset {row.first + index}: "


def changed(value: bytes) -> bytes:
    """One byte of a reference: nothing else in the event depends on it."""
    at = value.index(b'"reference":"') + len(b'"reference":"')
    return value[:at] + b"X" + value[at + 1 :]


def edit(row: Row, change: Callable[[list[bytes]], None]) -> Row:
    values = list(row.values)
    change(values)
    return msgspec.structs.replace(row, values=values)


def test_an_untouched_log_is_whole_and_signed_to_its_end(site: Site) -> None:
    receipts = site.receipts()
    result = site.verify(receipts)
    assert (result.problems, result.receipts, result.unsigned_tail) == ([], 2, 0)
    assert site.verify().unsigned_tail == result.events
    half = site.verify(receipts[:1])
    assert half.ok
    assert 0 < half.unsigned_tail < half.events


def test_one_byte_on_the_disk(site: Site) -> None:
    page, index = site.find()
    row = site.rows(EVENTS)[page]
    site.store(edit(row, lambda values: values.__setitem__(index, changed(values[index]))), checksum=False)
    first = site.problems()[0]
    assert first.startswith(f"offset {row.first - 1}: the events behind this cannot be read: Page {page} of ")


def test_one_byte_of_one_event(site: Site) -> None:
    page, index = site.find()
    row = site.rows(EVENTS)[page]
    site.store(edit(row, lambda values: values.__setitem__(index, changed(values[index]))))
    (problem,) = site.problems()
    assert f"offset {row.last}: the events from offset {row.first} to {row.last} are not those" in problem
    assert "their link does not fit" in problem


def test_one_byte_of_one_event_and_all_links_made_anew(site: Site) -> None:
    page, index = site.find()
    row = site.rows(EVENTS)[page]
    site.store(edit(row, lambda values: values.__setitem__(index, changed(values[index]))))
    site.relink()
    assert site.problems() == []  # nothing in the file tells
    middle, end = site.receipts()
    wrong, behind = (middle, end) if row.first <= middle.offset else (end, None)
    found = site.problems([middle, end])
    assert len(found) == (2 if behind else 1)
    assert f"for offset {wrong.offset} was given for another history" in found[0]
    # Deciding again finds it too, as long as the command says something else than the event.
    with RecorderLog.sqlite(site.path, writer=False) as reader:
        (difference,) = redecide(reader).differences
    assert difference.offset == row.first + index
    assert difference.recorded[0].replace('"reference":"X', '"reference":"r') == difference.decided[0]


def test_two_receipts_close_in_on_what_was_rewritten(site: Site) -> None:
    middle, end = site.receipts()
    row = next(
        row for row in site.rows(EVENTS) if row.first > middle.offset and b"TransferP" in row.values[-1]
    )
    site.store(edit(row, lambda values: values.append(changed(values.pop()))))
    site.relink()
    assert site.problems([middle]) == []
    (problem,) = site.problems([middle, end])
    assert f"something from offset {middle.offset + 1} to {end.offset} was rewritten" in problem


def test_one_event_dropped(site: Site) -> None:
    page, index = site.find()
    row = site.rows(EVENTS)[page]
    lost = decode_event(row.values[index])
    site.store(edit(row, lambda values: values.__delitem__(index)))
    found = site.problems()
    assert f"offset {row.first - 1}: the events behind this cannot be read: Page {page} of " in found[0]
    # A forger makes the row right, and then the link does not fit and the next page begins too far behind.
    site.store(dropped(row, index))
    found = site.problems()
    assert any("their link does not fit" in problem for problem in found)
    assert any(f"Page {page + 1} of {EVENTS} begins at" in problem for problem in found)
    # And moves everything up, and makes the links fit.
    first = row.first
    for each in site.rows(EVENTS)[page:]:
        site.store(msgspec.structs.replace(each, first=first))
        first += len(each.values)
    site.relink()
    found = site.problems()
    wanted = f"seq {lost.seq + 1} stands where {lost.seq} belongs"
    assert [problem for problem in found if wanted in problem and f"book {lost.book}, " in problem]
    assert not any("link" in problem for problem in found)


def dropped(row: Row, index: int) -> Row:
    """The page without one record; a link stays on the last."""

    def without(column: list[Any] | Any) -> Any:
        return [*column[:index], *column[index + 1 :]] if isinstance(column, list) else column

    return msgspec.structs.replace(
        row,
        keys=without(row.keys),
        times=without(row.times),
        values=without(row.values),
        sparse=[(len(row.values) - 2, headers) for _, headers in row.sparse],
    )


def test_two_events_swapped(site: Site) -> None:
    page, index = site.find()
    row = site.rows(EVENTS)[page]

    def swap(values: list[bytes]) -> None:
        values[index - 1], values[index] = values[index], values[index - 1]

    swapped = edit(row, swap)
    site.store(msgspec.structs.replace(swapped, keys=spread_swapped(row, index)))
    assert any("their link does not fit" in problem for problem in site.problems())
    site.relink()
    found = site.problems()
    assert found
    assert not any("link" in problem for problem in found)
    assert f"offset {row.first + index - 1}: " in found[0] or f"offset {row.first + index}: " in found[0]


def spread_swapped(row: Row, index: int) -> list[bytes] | bytes:
    if isinstance(row.keys, bytes):
        return row.keys
    keys = list(row.keys)
    keys[index - 1], keys[index] = keys[index], keys[index - 1]
    return keys


def test_the_tail_cut_off(site: Site) -> None:
    last = len(site.rows(EVENTS)) - 3
    site.cut(last, EVENTS, COMMANDS)
    assert site.problems() == []
    middle, end = site.receipts()
    assert site.problems([middle]) == []
    (problem,) = site.problems([middle, end])
    ends_at = site.rows(EVENTS)[-1].last
    assert f"vouches for events up to offset {end.offset}, and the log ends at {ends_at}" in problem


def test_the_events_cut_off_but_not_the_commands(site: Site) -> None:
    last = len(site.rows(EVENTS)) - 1
    site.cut(last, EVENTS)
    unanswered = site.rows(COMMANDS)[last]
    (problem,) = site.problems()
    assert "no outcome is stored for command" in problem
    assert str(unanswered.first) in problem


def test_a_page_missing_in_the_middle(site: Site) -> None:
    with closing(sqlite3.connect(site.path)) as database:
        database.execute("DELETE FROM pages WHERE originator_id = ? AND originator_version = 30", (EVENTS,))
        database.commit()
    assert any(f"Page 30 of {EVENTS} is missing" in problem for problem in site.problems())


def test_an_older_copy_put_back(site: Site) -> None:
    middle, end = site.receipts()
    for beside in site.folder.glob("log.sqlite*"):
        beside.unlink()
    (site.folder / "old").rename(site.path)
    result = site.verify([middle])
    assert (result.problems, result.unsigned_tail) == ([], 0)
    (problem,) = site.problems([middle, end])
    assert f"the log ends at {middle.offset}: it was cut off or set back to an older copy" in problem
    with RecorderLog.sqlite(site.path, writer=False) as reader:
        with pytest.raises(LogCorrupt, match="the log ends before that"):
            Follower(reader, site.folder / "snapshots", site.folder, site.signer)
        folded = load_newest(site.folder / "snapshots", reader)
        assert folded is not None  # the newest snapshot is refused, the one that fits is taken
        assert folded.offset == middle.offset


def test_a_whole_history_written_anew(site: Site, tmp_path: Path) -> None:
    receipts = site.receipts()
    with RecorderLog.sqlite(site.path, writer=False) as reader:
        true = list(reader.events(BEFORE_FIRST))
    for beside in site.folder.glob("log.sqlite*"):
        beside.unlink()
    other = Bank(11)
    with RecorderLog.sqlite(site.path, clock=other.clock) as log:
        other.begin(log)
        other.live(log, 300)
        assert len(list(log.events(BEFORE_FIRST))) == len(true)  # the same bank, and another first event
    assert site.problems() == []
    found = site.problems(receipts)
    assert len(found) == 2
    assert "of another log" in found[0]


def test_one_byte_of_one_command(site: Site) -> None:
    page, index = site.find()
    cause = decode_event(site.rows(EVENTS)[page].values[index]).cause
    row = next(row for row in site.rows(COMMANDS) if row.first <= cause <= row.last)
    site.store(
        edit(row, lambda values: values.__setitem__(cause - row.first, changed(values[cause - row.first])))
    )
    (problem,) = site.problems(site.receipts())  # links do not cover commands; fingerprints do
    assert problem.startswith(place(site.rows(EVENTS)[page], index))
    assert f"command {cause} as stored is not the one that was decided" in problem


def test_a_command_dropped(site: Site) -> None:
    row = site.rows(COMMANDS)[-1]
    site.store(dropped(row, len(row.values) - 1))
    found = site.problems(site.receipts())
    assert any(f"the event answers command {row.last}, which is not stored" in problem for problem in found)


@pytest.mark.parametrize("stream", [EVENTS, COMMANDS])
def test_a_damaged_last_page_cannot_be_opened(site: Site, stream: str) -> None:
    row = site.rows(stream)[-1]
    site.store(row, checksum=False)
    with pytest.raises(LogCorrupt, match=f"Page {row.page} of {stream} is damaged"):
        site.verify()


@pytest.mark.parametrize("stream", [EVENTS, COMMANDS])
def test_damage_to_either_stream_is_a_problem_and_never_a_crash(site: Site, stream: str) -> None:
    row = site.rows(stream)[40]
    assert row.values
    for broken in (
        edit(row, lambda values: values.append(b"")),
        msgspec.structs.replace(row, values=[b"\xff"] * len(row.values)),
        msgspec.structs.replace(row, values=[b"[" * 5_000] * len(row.values)),
        msgspec.structs.replace(row, times=[]),
        msgspec.structs.replace(row, keys=b"\xff\n"),
        msgspec.structs.replace(row, sparse=[(10**6, ())]),
        msgspec.structs.replace(row, names=["a"], columns=[]),
    ):
        site.store(broken)
        found = site.problems(site.receipts())
        if stream == EVENTS:
            assert found
    site.store(row)
    assert site.problems(site.receipts()) == []


def test_a_forged_receipt(site: Site) -> None:
    receipt = site.receipts()[0]
    forged = msgspec.structs.replace(receipt, link=bytes(32).hex())
    (problem,) = site.problems([forged])
    assert "is forged: its signature does not fit" in problem
    with RecorderLog.sqlite(site.path, writer=False) as reader:
        found = verify(reader, receipts=[forged]).problems  # without the key its holder is believed
    assert "was given for another history" in str(found[0])


def test_a_receipt_of_another_key(site: Site, tmp_path: Path) -> None:
    other = Signer(make_signing_key(tmp_path / "other.pem"))
    receipt = site.receipts()[0]
    theirs = other.sign(receipt.epoch_id, receipt.offset, receipt.books, bytes.fromhex(receipt.link), 0)
    (problem,) = site.problems([theirs])
    assert f"was signed by the key {other.key_id}, not by {site.signer.key_id}" in problem
    assert site.verify([theirs]).unsigned_tail == site.verify().events


def test_a_receipt_that_ends_within_a_page(site: Site) -> None:
    page, index = site.find()
    row = site.rows(EVENTS)[page]
    receipt = site.receipts()[0]
    inside = site.signer.sign(receipt.epoch_id, row.first + index - 1, receipt.books, bytes(32), 0)
    (problem,) = site.problems([inside])
    assert f"fits no page: something up to offset {inside.offset} was rewritten" in problem


def test_a_receipt_that_states_other_seqs(site: Site) -> None:
    receipt = site.receipts()[0]
    link = bytes.fromhex(receipt.link)
    wrong = site.signer.sign(receipt.epoch_id, receipt.offset, {"main": 1}, link, 0)
    (problem,) = site.problems([wrong])
    assert "was given for another history" in problem

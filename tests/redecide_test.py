"""redecide: deciding the stored commands again gives the stored events, byte for byte, or says where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from book.digest import partition_digest
from book.state import Book
from commands import transfers
from commands.decide import DECIDE, FIRE, RELEASE
from commands.decision import Decision
from engine.admission import Admission
from engine.fold import Folded
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, Out
from engine.pipeline import Pipeline
from engine.proof import Keyring, new_key, proof
from engine.snapshots import load_newest, write_snapshot
from engine.worker import Worker
from replay.redecide import Redecided, redecide
from replay.verify import verify
from schemas.books import BusinessDateRolled, OpenBook, ReleaseActivated
from schemas.catalogue import decode_event, encode
from schemas.rejections import CommandRejected, reject
from schemas.transfers import Transfer, TransferPosted
from tests.histories import BEGAN_MS, ROOT, Bank, Recorded, busy_bank


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank(21, 900)


def same(log: Any, state: Folded | None = None) -> Redecided:
    result = redecide(log)
    assert result.differences == []
    assert result.ok
    folded = Folded()
    folded.apply(log.events(BEFORE_FIRST))
    assert result.digest == partition_digest(folded.partition) == verify(log).digest
    assert result.compared + result.as_recorded == len(list(log.events(BEFORE_FIRST)))
    return result


def test_a_busy_bank_decides_the_same_again(bank: MemoryLog) -> None:
    """Its history holds what is worth deciding again: timers, repeats, and rejections of many kinds."""
    events = [decode_event(record.value) for record in bank.events(BEFORE_FIRST)]
    kinds = {event.__class__.__name__ for event in events}
    reasons = {event.reason for event in events if isinstance(event, CommandRejected)}
    assert {"BlockLifted", "BusinessDateRolled", "CommandRepeated", "TimeAdvanced", "ClockConfirmed"} <= kinds
    assert {"TransferReversed", "TransferRefunded", "EntriesPosted", "PeriodClosed", "OverdraftSet"} <= kinds
    assert len(reasons) > 20, reasons
    assert {"undecodable", "wrong_partition", "unknown_book", "clock_unconfirmed", "id_reused"} <= reasons
    assert sum(1 for event in events if event.timer) > 20
    assert same(bank.reader()).as_recorded == 1  # the log's first event


@pytest.mark.parametrize("seed", range(100, 110))
def test_any_bank_decides_the_same_again(seed: int) -> None:
    same(busy_bank(seed, 250).reader())


def test_it_decides_the_same_from_sqlite(tmp_path: Path) -> None:
    bank = Bank(22)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", clock=bank.clock) as log:
        bank.begin(log)
        bank.live(log, 200)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", writer=False) as reader:
        same(reader)


def test_it_decides_the_same_where_engines_came_and_went(tmp_path: Path) -> None:
    """Each engine starts from a snapshot, and the state runs on over crashes."""
    bank = Bank(23)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    for _ in range(6):
        folded = load_newest(tmp_path, log)
        worker = bank.live(log, 80, Worker(log, folded, clock=bank.clock, batch=5))
        folded = Folded()
        folded.apply(log.events(BEFORE_FIRST))
        assert worker.link == folded.link
        write_snapshot(tmp_path, folded)
        log = log.reopen()
    same(log.reader())


def test_what_was_not_proven_is_taken_as_recorded() -> None:
    key = new_key()
    log = MemoryLog(clock=lambda: BEGAN_MS)
    begin(log, [ROOT], BEGAN_MS)
    worker = Worker(log, admission=Admission(Keyring({"k": key})), clock=lambda: BEGAN_MS)
    for number, proven in enumerate((True, False, True, False)):
        command = OpenBook(
            id=f"c{number}",
            book=f"book{number}",
            actor="root",
            issued_at_ms=BEGAN_MS,
            name="B",
            currency="EUR",
            administrators=(ROOT,),
        )
        value = encode(command)
        log.submit([Out(command.book.encode(), value, proof("k", key, value) if proven else ())])
    while worker.step():
        pass
    assert same(log.reader()).as_recorded == 1 + 2


# --- releases -----------------------------------------------------------------------------------------

EARLIER_LIMIT = 100


def as_the_earlier_release_did(book: Book, command: Transfer, at_ms: int) -> Decision:
    if command.amount > EARLIER_LIMIT and command.debit != "nostro":
        return reject("overflow", account=command.debit)
    return transfers.transfer(book, command, at_ms)


def two_releases(monkeypatch: pytest.MonkeyPatch, *, announced: bool) -> MemoryLog:
    bank = Bank(24)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    with monkeypatch.context() as earlier:
        earlier.setitem(DECIDE, Transfer, as_the_earlier_release_did)
        bank.live(log, 200)
    if announced:
        monkeypatch.setattr("engine.worker.RELEASE", RELEASE + 1)
        monkeypatch.setattr("replay.redecide.RELEASE", RELEASE + 1)
    bank.live(log, 200)
    return log


def test_only_what_this_release_decided_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    log = two_releases(monkeypatch, announced=True)
    whole = Recorded(log)
    activated = whole.find(lambda event: type(event) is ReleaseActivated)
    result = same(log.reader())
    assert result.as_recorded == activated + 1
    assert result.compared > 150


def test_a_release_that_decides_otherwise_and_does_not_say_so_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = two_releases(monkeypatch, announced=False)
    result = redecide(log.reader(), most=1_000)
    assert not result.ok
    for difference in result.differences:
        recorded = [decode_event(text.encode()) for text in difference.recorded]
        assert isinstance(recorded[0], CommandRejected)
        assert recorded[0].reason == "overflow"
        assert (recorded[0].book, recorded[0].seq) == (difference.book, difference.seq)
    refused = [
        record.offset
        for record in log.events(BEFORE_FIRST)
        if getattr(decode_event(record.value), "reason", "") == "overflow"
    ]
    found = [difference.offset for difference in result.differences]
    assert found
    assert set(found) <= set(refused)  # some would have been refused all the same, but none is made up


# --- differences --------------------------------------------------------------------------------------


def test_the_first_differences_are_shown_and_deciding_goes_on_from_what_was_recorded(bank: MemoryLog) -> None:
    log = Recorded(bank)
    changed = []
    for nth in (5, 9, 30):
        index = log.find(lambda event: type(event) is TransferPosted and event.reference != "", nth)
        log.change(index, reference="something else")
        changed.append(log.event_records[index].offset)
    result = redecide(log)
    assert [difference.offset for difference in result.differences] == changed
    assert all('"something else"' in one.recorded[0] for one in result.differences)
    assert not any('"something else"' in one.decided[0] for one in result.differences)
    assert redecide(log, most=2).differences == result.differences[:2]


def test_money_that_moved_otherwise_is_a_difference(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: type(event) is TransferPosted and event.reference != "", 5)
    event = log.event(index)
    one, other = event.postings
    more = (
        msgspec.structs.replace(one, amount=one.amount - 1, balance=one.balance - 1),
        msgspec.structs.replace(other, amount=other.amount + 1, balance=other.balance + 1),
    )
    log.change(index, amount=event.amount + 1, postings=more)
    first = redecide(log).differences[0]
    assert (first.offset, first.seq, first.book) == (log.event_records[index].offset, event.seq, event.book)
    assert first.command == event.cause
    assert decode_event(first.decided[0].encode()) == event


def test_a_timer_that_does_something_else_is_a_difference(
    bank: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FIRE["business_date"]

    def later(book: Book, rest: str, due_ms: int) -> Any:
        rolled = real(book, rest, due_ms)
        assert isinstance(rolled, BusinessDateRolled)
        return msgspec.structs.replace(rolled, midnight_ms=rolled.midnight_ms + 1)

    monkeypatch.setitem(FIRE, "business_date", later)
    first = redecide(bank.reader()).differences[0]
    assert (first.what, first.command) == ("the timer's event is another", -1)


def test_a_timer_that_did_not_fire_is_a_difference(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: event.timer.startswith("block"))
    assert not log.event_records[index].headers
    event = log.event(index)
    del log.event_records[index]
    result = redecide(log)
    assert not result.ok
    assert result.differences[0].book in (event.book, "")


def test_a_timer_that_an_engine_forgot_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank(25)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    with monkeypatch.context() as forgetful:
        forgetful.setattr(Pipeline, "fire_due", lambda *_: True)
        bank.live(log, 300)
    first = redecide(log.reader()).differences[0]
    assert first.what.endswith("was due before this command and did not fire")


def test_an_event_under_another_key_is_a_difference(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: type(event) is TransferPosted and event.book == "main")
    record = log.event_records[index]
    log.event_records[index] = msgspec.structs.replace(record, key=b"wall")
    (difference,) = redecide(log).differences
    assert difference.offset == record.offset


def test_a_timer_that_fired_out_of_turn_is_a_difference(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: event.timer.startswith("block"))
    log.change(index, timer="business_date")
    first = redecide(log, most=1).differences[0]
    assert "fired, and next is" in first.what or "another" in first.what


def test_a_command_that_is_not_stored_is_a_difference(bank: MemoryLog) -> None:
    log = Recorded(bank)
    lost = log.command_records.pop(40)
    (difference,) = redecide(log).differences
    assert (difference.what, difference.command) == ("the command is not stored", lost.offset)


def test_a_command_without_an_outcome_is_a_difference(bank: MemoryLog) -> None:
    log = Recorded(bank)
    answered = next(record for record in reversed(log.event_records) if decode_event(record.value).cause >= 0)
    last = decode_event(answered.value).cause
    log.event_records = [one for one in log.event_records if decode_event(one.value).cause != last]
    (difference,) = redecide(log).differences
    assert (difference.what, difference.command) == ("the command has no outcome in the log", last)
    assert redecide(log, commands_may_wait=True).ok


def test_a_log_that_is_broken_is_said_to_be(bank: MemoryLog) -> None:
    for value in (b"rubbish", b"{}", b'{"type":"Nothing","cause":-1}', b"\xff"):
        log = Recorded(bank)
        log.event_records[50] = msgspec.structs.replace(log.event_records[50], value=value)
        result = redecide(log)
        assert not result.ok
        assert any("cannot go on" in one.what or "differently" in one.what for one in result.differences)
    headless = Recorded(bank)
    del headless.event_records[0]
    assert not redecide(headless).ok

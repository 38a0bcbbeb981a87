"""verify compares outcomes with commands, what is taken back with what was posted, the fold with postings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from book import transfers
from book.evolve import EVOLVE, evolve
from book.state import Book, Partition
from engine.log.memory import MemoryLog
from replay import verifying
from replay.verify import verify
from schemas.accounts import AccountClosed, OverdraftSet
from schemas.catalogue import decode_event, encode
from schemas.message import Event
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from tests.histories import Recorded, busy_bank
from tests.story import account, given, refund, reversal, story, transfer, when
from tests.verify_events_test import becomes, posted, with_postings


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank()


def whats(log: Recorded | MemoryLog) -> list[str]:
    return [str(problem) for problem in verify(log).problems]


def test_an_outcome_given_twice_is_named(bank: MemoryLog) -> None:
    for kind in (TransferPosted, CommandRejected, CommandRepeated):
        log = Recorded(bank)

        def wanted(event: Any, kind: type = kind) -> bool:
            return event.book == "main" and type(event) is kind

        index = log.find(wanted, 5)
        seq, cause = log.event(index).seq, log.event(index).cause
        log.event_records.insert(index, log.event_records[index])
        assert any(
            f"seq {seq}," in what and f"command {cause} is answered a second" in what for what in whats(log)
        )


def test_a_command_decided_again_instead_of_repeated_is_named(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: type(event) is CommandRepeated)
    event, first = log.event(index), log.event(index).first_seq
    record = log.event_records[log.find(lambda one: one.seq == first and one.book == event.book)]
    again = msgspec.structs.replace(decode_event(record.value), seq=event.seq, cause=event.cause, at=event.at)
    log.event_records[index] = msgspec.structs.replace(log.event_records[index], value=encode(again))
    assert any(f"was decided before, at seq {first}" in what for what in whats(log))


@pytest.mark.parametrize("fields", [{"first_seq": 1}, {"reason": "busy"}])
def test_a_repeat_with_another_outcome_than_the_first_is_named(bank: MemoryLog, fields: Any) -> None:
    log = Recorded(bank)
    log.change(log.find(lambda event: type(event) is CommandRepeated), **fields)
    assert any("not with its first outcome" in what for what in whats(log))


def test_a_changed_command_is_named_by_its_outcome(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(posted, 9)
    cause = log.event(index).cause
    record = log.command_records[cause]
    assert record.offset == cause
    value = record.value.replace(b'"reference":"r', b'"reference":"R')
    assert value != record.value
    log.command_records[cause] = msgspec.structs.replace(record, value=value)
    what = f"command {cause} as stored is not the one that was decided"
    assert any(what in problem for problem in whats(log))


def test_a_command_in_another_spelling_is_the_same_command(bank: MemoryLog) -> None:
    log = Recorded(bank)
    cause = log.event(log.find(posted, 9)).cause
    record = log.command_records[cause]
    value = record.value.replace(b'":', b'" : ')
    log.command_records[cause] = msgspec.structs.replace(record, value=value)
    assert whats(log) == []


@pytest.mark.parametrize("kind", [TransferReversed, TransferRefunded])
def test_what_is_taken_back_is_compared_with_what_was_posted(bank: MemoryLog, kind: type[Event]) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: type(event) is kind)
    others = log.find(lambda event: type(event) is EntriesPosted and event.book == log.event(index).book)
    log.change(index, transfer=log.event(others).seq)
    assert any(
        what in problem
        for problem in whats(log)
        for what in ("the other way round", "no transfer that can be")
    )


def test_each_currency_sums_to_zero_by_itself(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(posted, 20)
    with_postings(log, index, {}, {"currency": "USD"})
    found = whats(log)
    assert any("the postings in EUR sum to -" in what for what in found)
    assert any("the postings in USD sum to" in what for what in found)


def test_an_account_is_closed_empty_and_takes_no_more(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = log.find(lambda event: type(event) is OverdraftSet and event.book == "main")
    becomes(log, index, AccountClosed, account="nostro", reason="done")
    found = whats(log)
    assert any("nostro is closed with -" in what for what in found)
    assert any(what.endswith(": nostro is closed") for what in found)


def test_what_was_taken_back_is_not_taken_back_again() -> None:
    given(account("alice", 100), account("bob"), transfer("alice", "bob", 10, reference="x"))
    when(reversal("x"), transfer("alice", "bob", 10), transfer("bob", "alice", 10))
    true = Recorded(story().log)
    whole = true.event(-1)
    assert whats(true) == []
    again = {
        "transfer": story().seq_of("x"),
        "booking_date": whole.booking_date,
        "value_date": whole.value_date,
        "reason": "again",
        "postings": whole.postings,
    }
    for kind, fields, what in (
        (TransferReversed, {}, "which was taken back before"),
        (TransferRefunded, {"amount": 10, "currency": "EUR", "refunded_after": 10}, "was left to refund"),
    ):
        log = Recorded(true)
        becomes(log, -1, kind, **again, **fields)
        assert any(what in problem for problem in whats(log))


def test_what_was_refunded_is_not_reversed() -> None:
    given(account("alice", 100), account("bob"), transfer("alice", "bob", 10, reference="x"))
    when(refund("x", 4), transfer("bob", "alice", 6))
    log = Recorded(story().log)
    assert whats(log) == []
    seq = story().seq_of("x")
    index = log.find(lambda event: type(event) is TransferRefunded)
    log.change(index, refunded_after=5)
    assert any("it refunds 4 of" in what for what in whats(log))
    one, other = log.event(log.find(lambda event: event.seq == seq and event.book == "main")).postings
    log = Recorded(story().log)
    last = log.event(-1)
    back = tuple(
        msgspec.structs.replace(posting, amount=-was.amount, balance=posting.balance + change)
        for posting, was, change in zip(reversed(last.postings), (one, other), (4, -4), strict=True)
    )
    becomes(
        log,
        -1,
        TransferReversed,
        transfer=seq,
        booking_date=last.booking_date,
        value_date=last.value_date,
        reason="again",
        postings=back,
    )
    assert any("which was taken back before" in what for what in whats(log))


def test_a_refusal_behind_an_acceptance_is_a_second_answer(bank: MemoryLog) -> None:
    log = Recorded(bank)
    index = next(
        index
        for index in range(60, len(log.event_records))
        if type(log.event(index)) is CommandRejected
        and not log.event(index).fingerprint
        and type(log.event(index - 1)) is TransferPosted
    )
    cause = log.event(index - 1).cause
    log.change(index, cause=cause)
    assert any(f"command {cause} is answered a second time" in what for what in whats(log))


def test_an_offset_that_does_not_rise_is_named(bank: MemoryLog) -> None:
    log = Recorded(bank)
    log.event_records[50] = msgspec.structs.replace(log.event_records[50], offset=49)
    assert "offset 49: the offset does not rise" in whats(log)


def test_events_that_no_link_closes_are_named(bank: MemoryLog) -> None:
    log = Recorded(bank)
    last = log.event_records[-1]
    log.event_records[-1] = msgspec.structs.replace(last, headers=())
    (what,) = whats(log)
    assert what.startswith(f"offset {last.offset}: the events from offset ")
    assert what.endswith("carry no link")


def test_a_bug_in_evolve_is_found_by_the_second_bookkeeping(
    bank: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgets_a_side(book: Book, event: TransferPosted) -> None:
        transfers.transfer_posted(book, event)
        if event.seq == seq:
            book.accounts[event.credit].booked -= 1

    log = Recorded(bank)
    seq = log.event(log.find(posted, 5)).seq
    monkeypatch.setitem(EVOLVE, TransferPosted, forgets_a_side)
    found = whats(log)
    assert any(f"seq {seq}," in what and "the state gives" in what for what in found)


def test_the_end_is_compared_too(bank: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    last = Recorded(bank)
    seq = last.event(last.find(lambda event: event.book == "main", -1)).seq
    real = evolve

    def spoils_the_last(partition: Partition, event: Any) -> None:
        real(partition, event)
        if event.book == "main" and event.seq == seq:
            partition.books["main"].accounts["a0"].booked += 3

    monkeypatch.setattr(verifying, "evolve", spoils_the_last)
    found = whats(bank.reader())
    assert any(what.startswith("book main: a0 has") for what in found)
    assert "book main: all accounts in EUR together have 3, not zero" in found

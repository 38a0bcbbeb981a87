"""verify: it finds nothing in what the engine writes, and each thing that could be wrong, at its place."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from book import transfers
from book.digest import partition_digest
from book.evolve import EVOLVE
from book.state import Book, Partition
from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST
from engine.worker import Worker
from replay.problems import Problem
from replay.verify import verify
from schemas.accounts import AccountClosed, AccountOpened, OverdraftSet
from schemas.catalogue import decode_event, encode
from schemas.message import ENVELOPE, Event
from schemas.postings import Posting
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from tests.histories import Bank, Recorded, busy_bank
from tests.story import account, given, refund, reversal, story, transfer, when

A_DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank()


def whats(log: Recorded | MemoryLog, **options: Any) -> list[str]:
    return [str(problem) for problem in verify(log, **options).problems]


def test_what_the_engine_writes_is_whole(bank: MemoryLog) -> None:
    result = verify(bank.reader())
    assert (result.ok, result.problems, result.problem_count) == (True, [], 0)
    folded = Folded()
    folded.apply(bank.events(BEFORE_FIRST))
    assert result.digest == partition_digest(folded.partition)
    assert result.events == len(list(bank.events(BEFORE_FIRST))) == result.unsigned_tail
    assert result.commands == bank.last_command_offset() + 1
    assert result.books["main"].seq == folded.partition.books["main"].seq
    assert result.books["main"].accounts == len(folded.partition.books["main"].accounts)


def test_a_log_with_gaps_in_its_offsets_is_whole() -> None:
    bank = Bank(2)
    log = MemoryLog(clock=bank.clock, control_records=True)
    bank.begin(log)
    bank.live(log, 100)
    assert whats(log.reader()) == []


def test_the_same_history_on_sqlite_has_the_same_digest(tmp_path: Path, bank: MemoryLog) -> None:
    twin = Bank(1)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", clock=twin.clock) as log:
        twin.begin(log)
        twin.live(log, 600)
    with RecorderLog.sqlite(tmp_path / "log.sqlite", writer=False) as reader:
        result = verify(reader)
    assert (result.problems, result.digest) == ([], verify(bank.reader()).digest)


def test_a_log_in_use_is_verified_as_far_as_it_went_when_verify_began() -> None:
    bank = Bank(3)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    worker = bank.live(log, 50)
    grown: list[Worker] = []

    def grow(events: int) -> None:
        if not grown:
            grown.append(bank.live(log, 20, worker))

    assert verify(log.reader(), progress=grow).ok
    assert grown


def test_an_empty_log_is_not_whole() -> None:
    assert whats(MemoryLog()) == ["log: the log is empty"]


def test_commands_may_wait_where_the_log_says_so(bank: MemoryLog) -> None:
    log = Recorded(bank)
    last = log.event_records[-1]
    log.event_records = log.event_records[: log.find(lambda event: event.seq == 60)]
    # down to a page's end
    while not log.event_records[-1].headers:
        log.event_records.pop()
    assert log.event_records[-1].offset < last.offset
    assert any("no outcome is stored for commands" in what for what in whats(log))
    assert whats(log, commands_may_wait=True) == []


def test_a_further_check_sees_the_state_and_adds_its_problems(bank: MemoryLog) -> None:
    seen: list[tuple[int, int]] = []

    def extra(partition: Partition, offset: int) -> list[Problem]:
        seen.append((len(partition.books), offset))
        return [Problem("the read model differs", "main")]

    assert whats(bank.reader(), extra=extra) == ["book main: the read model differs"]
    assert seen == [(3, bank.last_event_offset())]


def test_problems_are_counted_and_the_first_of_them_shown(bank: MemoryLog) -> None:
    log = Recorded(bank)
    del log.event_records[log.find(lambda event: type(event) is AccountOpened and event.account == "a0")]
    result = verify(log, most_problems=3)
    assert len(result.problems) == 3
    assert result.problem_count > 3
    assert not result.ok


# --- one thing wrong at a time, with valid links ------------------------------------------------------

Change = Callable[[Recorded, int], None]


def posted(event: Any) -> bool:
    return type(event) is TransferPosted and event.debit.startswith("a")


def with_postings(log: Recorded, index: int, *changes: dict[str, Any]) -> None:
    postings: list[Posting] = [
        msgspec.structs.replace(posting, **change)
        for posting, change in zip(log.event(index).postings, changes, strict=True)
    ]
    log.change(index, postings=tuple(postings))


def unbalanced(log: Recorded, index: int) -> None:
    _, other = log.event(index).postings
    with_postings(log, index, {}, {"amount": other.amount + 1, "balance": other.balance + 1})


def balance_off(log: Recorded, index: int) -> None:
    one, _ = log.event(index).postings
    with_postings(log, index, {"balance": one.balance - 7}, {})


def below_floor(log: Recorded, index: int) -> None:
    one, other = log.event(index).postings
    amount = 10_000_000
    log.change(index, amount=amount)
    with_postings(
        log,
        index,
        {"amount": -amount, "balance": one.balance - one.amount - amount},
        {"amount": amount, "balance": other.balance - other.amount + amount},
    )


def another_currency(log: Recorded, index: int) -> None:
    with_postings(log, index, {"currency": "USD"}, {"currency": "USD"})


def amount_not_posted(log: Recorded, index: int) -> None:
    log.change(index, amount=log.event(index).amount + 1)


def valued_tomorrow(log: Recorded, index: int) -> None:
    log.change(index, value_date=log.event(index).booking_date + A_DAY)


def valued_long_ago(log: Recorded, index: int) -> None:
    log.change(index, value_date=datetime.date(2020, 1, 1))


def booked_yesterday(log: Recorded, index: int) -> None:
    day = log.event(index).booking_date - A_DAY
    log.change(index, booking_date=day, value_date=day)


def back_in_time(log: Recorded, index: int) -> None:
    log.change(index, at=1)


def no_such_account(log: Recorded, index: int) -> None:
    with_postings(log, index, {"account": "a99"}, {})


def other_book(log: Recorded, index: int) -> None:
    log.change(index, book="wall" if log.event(index).book == "main" else "main")


def seq_twice(log: Recorded, index: int) -> None:
    log.change(index, seq=log.event(index).seq - 1)


def other_command(log: Recorded, index: int) -> None:
    log.change(index, command="c0")


def other_actor(log: Recorded, index: int) -> None:
    log.change(index, actor="somebody")


def other_fingerprint(log: Recorded, index: int) -> None:
    log.change(index, fingerprint="0" * 16)


def no_fingerprint(log: Recorded, index: int) -> None:
    log.change(index, fingerprint="")


def nameless(log: Recorded, index: int) -> None:
    log.change(index, command="", actor="", fingerprint="")


def answers_nothing(log: Recorded, index: int) -> None:
    log.change(index, cause=-1)


def answers_the_one_before(log: Recorded, index: int) -> None:
    log.change(index, cause=log.event(index).cause - 1)


def answers_the_one_behind(log: Recorded, index: int) -> None:
    log.change(index, cause=log.event(index).cause + 1)


def undecodable(log: Recorded, index: int) -> None:
    record = log.event_records[index]
    log.event_records[index] = msgspec.structs.replace(record, value=record.value[:-1])


def unknown_type(log: Recorded, index: int) -> None:
    record = log.event_records[index]
    value = record.value.replace(b"TransferPosted", b"TransferLost")
    log.event_records[index] = msgspec.structs.replace(record, value=value)


def answers_nothing_at_all(log: Recorded, index: int) -> None:
    log.change(index, cause=-1, command="", actor="", fingerprint="")


def refused_without_a_name(log: Recorded, index: int) -> None:
    becomes(log, index, CommandRejected, reason="busy", command="", actor="", fingerprint="")


def refused_without_a_fingerprint(log: Recorded, index: int) -> None:
    becomes(log, index, CommandRejected, reason="insufficient_funds", fingerprint="")


def becomes(log: Recorded, index: int, kind: type[Event], **fields: Any) -> None:
    """Another event in the place and envelope of this one."""
    envelope = {name: getattr(log.event(index), name) for name in ENVELOPE}
    value = encode(kind(**{**envelope, **fields}))
    log.event_records[index] = msgspec.structs.replace(log.event_records[index], value=value)


WRONG: list[tuple[Change, str]] = [
    (unbalanced, "sum to 1, not to zero"),
    (balance_off, "and the balance says"),
    (below_floor, "below its floor"),
    (another_currency, "is kept in EUR, and USD was posted"),
    (amount_not_posted, "its postings are not"),
    (valued_tomorrow, "its value date"),
    (valued_long_ago, "its value date"),
    (booked_yesterday, "and the business date is"),
    (back_in_time, "its time 1 is before the book's"),
    (no_such_account, "there is no account a99"),
    (other_book, "stands under the key of book"),
    (seq_twice, "belongs"),
    (other_command, "but its outcome names c0 of"),
    (other_actor, "of somebody"),
    (other_fingerprint, "as stored is not the one that was decided"),
    (no_fingerprint, "has no fingerprint"),
    (nameless, "does not name it"),
    (answers_nothing, "answers no command and is no timer's"),
    (answers_nothing_at_all, "answers no command and is no timer's"),
    (refused_without_a_name, "does not name it"),
    (refused_without_a_fingerprint, "has no fingerprint"),
    (answers_the_one_before, "is answered"),
    (answers_the_one_behind, "has no outcome before this event"),
    (undecodable, "cannot be decoded"),
    (unknown_type, "cannot be decoded"),
]


@pytest.mark.parametrize(("change", "what"), WRONG, ids=[change.__name__ for change, _ in WRONG])
def test_one_wrong_event_is_named(bank: MemoryLog, change: Change, what: str) -> None:
    log = Recorded(bank)
    index = log.find(posted, 20)
    event, record = log.event(index), log.event_records[index]
    change(log, index)
    log.relink()
    result = verify(log)
    first = result.problems[0]
    assert what in first.what
    assert (first.offset, first.book) == (record.offset, event.book)
    assert first.seq in (event.seq, event.seq - 1)


def test_an_event_that_is_broken_is_blamed_alone(bank: MemoryLog) -> None:
    log = Recorded(bank)
    log.change(log.find(posted, 20), at=1)
    log.relink()
    assert len(verify(log).problems) == 1


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
    real = verify.__globals__["evolve"]

    def spoils_the_last(partition: Partition, event: Any) -> None:
        real(partition, event)
        if event.book == "main" and event.seq == seq:
            partition.books["main"].accounts["a0"].booked += 3

    monkeypatch.setitem(verify.__globals__, "evolve", spoils_the_last)
    found = whats(bank.reader())
    assert any(what.startswith("book main: a0 has") for what in found)
    assert "book main: all accounts in EUR together have 3, not zero" in found

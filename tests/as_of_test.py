"""as-of: what was known after each event and at each time, and what counted for which day."""

from __future__ import annotations

import datetime
import random

import pytest

from book.digest import book_digest
from book.state import SYSTEM_BOOK
from engine.fold import Folded
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST
from replay.as_of import NotKnown, as_of
from schemas.catalogue import decode_event
from tests.histories import busy_bank
from tests.story import BEGAN_MS, DAY_MS, account, advance, given, later, role, story, transfer, user, when

DAY = datetime.date(2024, 5, 15)
A_DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def bank() -> MemoryLog:
    return busy_bank(31, 700)


def folded(log: MemoryLog, through: int) -> Folded:
    state = Folded()
    state.apply(record for record in log.events(BEFORE_FIRST) if record.offset <= through)
    return state


def test_after_any_event_the_book_is_what_the_engine_had(bank: MemoryLog) -> None:
    chance = random.Random(1)
    records = list(bank.events(BEFORE_FIRST))
    for record in chance.sample(records, 25):
        event = decode_event(record.value)
        expected = folded(bank, record.offset).partition.books[event.book]
        for view in (
            as_of(bank, event.book, seq=event.seq),
            as_of(bank, event.book, seq=event.seq, at_ms=event.at),
        ):
            assert book_digest(view.book) == book_digest(expected)
            assert view.book.seq == event.seq


def test_at_any_time_the_book_is_as_it_was_behind_the_last_event_up_to_it(bank: MemoryLog) -> None:
    events = [decode_event(record.value) for record in bank.events(BEFORE_FIRST)]
    mine = [event for event in events if event.book == "wall"]
    chance = random.Random(2)
    for event in chance.sample(mine, 25):
        last = max(one.seq for one in mine if one.at <= event.at)
        assert as_of(bank, "wall", at_ms=event.at).book.seq == last
        assert as_of(bank, "wall", at_ms=event.at + 1).book.seq >= last
    assert as_of(bank, "wall").book.seq == mine[-1].seq
    assert as_of(bank, "wall", at_ms=10**15).book.seq == mine[-1].seq


def test_balances_by_value_date_are_the_sums_of_what_counts_up_to_that_day(bank: MemoryLog) -> None:
    chance = random.Random(3)
    events = [decode_event(record.value) for record in bank.events(BEFORE_FIRST)]
    mine = [event for event in events if event.book == "main"]
    days = sorted({event.value_date for event in mine if hasattr(event, "value_date")})
    assert len(days) > 5
    for _ in range(30):
        seq, day = chance.randrange(60, len(mine)), chance.choice(days)
        expected: dict[str, int] = {}
        for event in mine:
            if event.seq <= seq and hasattr(event, "postings") and event.value_date <= day:
                for posting in event.postings:
                    expected[posting.account] = expected.get(posting.account, 0) + posting.amount
        view = as_of(bank, "main", seq=seq, value_date=day)
        assert {one.account: one.by_value_date for one in view.accounts()} == {
            name: expected.get(name, 0) for name in view.book.accounts
        }
    end = as_of(bank, "main", value_date=days[-1])
    assert all(one.by_value_date == one.booked for one in end.accounts())


def test_the_trial_balance_balances_whenever_it_is_asked_for(bank: MemoryLog) -> None:
    chance = random.Random(4)
    newest = as_of(bank, "main").book
    for _ in range(20):
        day = newest.business_date - chance.randrange(8) * A_DAY if chance.random() < 0.5 else None
        view = as_of(bank, "main", seq=chance.randrange(80, newest.seq), value_date=day)
        totals: dict[str, int] = {}
        for line in view.trial_balance():
            assert line.debit >= 0 <= line.credit
            totals[line.currency] = totals.get(line.currency, 0) + line.credit - line.debit
        assert set(totals) == {"EUR", "USD"}
        assert not any(totals.values())
        assert sum(line.accounts for line in view.trial_balance()) == len(view.book.accounts)


def test_what_was_known_and_what_counted_are_two_things() -> None:
    given(account("alice", 100), account("bob"), later(days=1), advance(BEGAN_MS + DAY_MS))
    before = story().book.seq
    when(transfer("alice", "bob", 30, value_date=DAY))
    log = story().log.reader()

    def balances(**when_asked: object) -> dict[str, tuple[int, int | None]]:
        view = as_of(log, "main", **when_asked)  # type: ignore[arg-type]
        return {one.account: (one.booked, one.by_value_date) for one in view.accounts()}

    assert balances(seq=before, value_date=DAY)["bob"] == (0, 0)
    assert balances(value_date=DAY)["bob"] == (30, 30)
    assert balances(value_date=DAY - A_DAY)["bob"] == (30, 0)
    assert balances()["alice"] == (70, None)
    lines = {line.ledger: line for line in as_of(log, "main").trial_balance() if line.currency == "EUR"}
    assert (lines["2000"].debit, lines["2000"].credit, lines["2000"].accounts) == (0, 100, 2)
    assert (lines["1000"].debit, lines["1000"].credit) == (100, 0)


def test_who_could_do_what_is_known_too() -> None:
    given(role("payers", "Transfer"), user("ann"))
    before = story().book.seq
    when(user("ben", roles=["payers"]))
    log = story().log.reader()
    assert set(as_of(log, "main", seq=before).book.actors) == {"root", "ann"}
    assert as_of(log, "main").book.actors["ben"].roles == ["payers"]


def test_the_system_book_can_be_asked_for(bank: MemoryLog) -> None:
    view = as_of(bank, SYSTEM_BOOK)
    assert set(view.book.opened) == {"main", "wall"}
    assert view.trial_balance() == []


def test_what_was_not_there_is_said_in_one_sentence(bank: MemoryLog) -> None:
    newest = as_of(bank, "main").book.seq
    with pytest.raises(NotKnown, match="The log holds no book nowhere"):
        as_of(bank, "nowhere")
    with pytest.raises(NotKnown, match="The log holds no book main at that time"):
        as_of(bank, "main", at_ms=1)
    with pytest.raises(
        NotKnown, match=f"The newest event of the book main has seq {newest}, not {newest + 1}"
    ):
        as_of(bank, "main", seq=newest + 1)
    for seq in (0, -1):
        with pytest.raises(NotKnown, match="counted from 1"):
            as_of(bank, "main", seq=seq)

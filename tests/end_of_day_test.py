"""End of day: a small event, then slices that nobody waits for, that any crash may interrupt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from book.digest import book_digest
from book.end_of_day import PACE_MS
from commands import interest as deciding
from commands import months
from engine.errors import DaybookError
from engine.log.faults import Crash, Fault
from engine.log.records import Out
from schemas.accounts import AccountOpened
from schemas.books import BusinessDateRolled
from schemas.catalogue import encode
from schemas.closing import ClosingBalancesAdded, MonthEnded
from schemas.end_of_day import DayFinished, EndOfDayAdvanced
from schemas.interest import Accrual, InterestAccrued, InterestCapitalised
from schemas.message import Event
from schemas.transfers import TransferPosted
from tests.interest_words import BANK, MIDNIGHT_MS, bearing, interest, on, pass_days, product
from tests.story import (
    DAY_MS,
    Said,
    Story,
    Word,
    account,
    advance,
    book,
    forget,
    given,
    internal,
    later,
    prove,
    story,
    transfer,
    when,
)

NAMES = [f"saver-{number}" for number in range(10)]
SAVERS: list[Word] = [
    BANK,
    product(interest("0.0365")),
    *(account(name, 1_000_000, product="savings") for name in NAMES),
]
END_OF_MAY_MS = MIDNIGHT_MS + 16 * DAY_MS


@pytest.fixture(autouse=True)
def small_slices() -> Iterator[None]:
    """Slices of three accounts, two of capitalisation, four of a month's end. No decision depends on
    their size but by the events that it is said in, and both sides of every comparison have the same.
    """
    had = deciding.SLICE, deciding.CAPITALISED, months.SLICE
    deciding.SLICE, deciding.CAPITALISED, months.SLICE = 3, 2, 4
    yield
    prove()  # with slices of that size
    forget()
    deciding.SLICE, deciding.CAPITALISED, months.SLICE = had


def kinds(since: int = 0) -> list[type[Event]]:
    return [type(event) for event in story().events()[since:]]


def until(at_ms: int) -> list[Word]:
    """Nothing happens until then."""
    return [later(ms=at_ms - 1 - story().now)]


def test_a_book_without_interest_has_no_work() -> None:
    given(account("alice", 100))
    when(advance(MIDNIGHT_MS + 3_600_000))
    assert kinds()[-2:] == [BusinessDateRolled, type(story().last[0])]
    assert story().book.end_of_day.pending == []


def test_closing_a_day_is_one_event_and_a_slice_at_a_time_follows() -> None:
    given(*SAVERS)
    when(advance(MIDNIGHT_MS))
    assert kinds()[-2] is BusinessDateRolled
    assert story().book.end_of_day.pending == [on("2024-05-15").toordinal()]
    begun = len(story().events())
    commits = story().log.page_count()
    for number in range(4):
        when(*until(MIDNIGHT_MS + (number + 1) * 1_000), transfer(NAMES[0], NAMES[1], 5))
    # One slice before each of the first commands, each its own commit, until the day is finished.
    assert kinds(begun) == [InterestAccrued, EndOfDayAdvanced, TransferPosted] * 4
    assert story().log.page_count() - commits == 8
    when(*until(MIDNIGHT_MS + 10_000), transfer(NAMES[0], NAMES[1], 5))
    assert kinds(begun)[12:] == [DayFinished, TransferPosted]
    assert story().book.end_of_day.due_ms is None


def test_a_command_waits_for_one_slice_at_most_and_not_again_before_its_time() -> None:
    given(*SAVERS)
    when(advance(MIDNIGHT_MS))
    when(*until(MIDNIGHT_MS + PACE_MS - 1))
    begun = len(story().events())
    when(internal("a"), internal("b"), internal("c"), internal("d"))
    assert kinds(begun) == [AccountOpened, InterestAccrued, EndOfDayAdvanced, *[AccountOpened] * 3]
    when(*until(story().now + PACE_MS), internal("e"), internal("f"))
    assert kinds(begun)[6:] == [InterestAccrued, EndOfDayAdvanced, AccountOpened, AccountOpened]


def test_the_balance_is_the_closed_days_however_far_the_book_has_moved_on() -> None:
    given(*SAVERS)
    when(advance(MIDNIGHT_MS))
    when(*(transfer(name, "nostro", 1_000_000) for name in NAMES))
    when(transfer("nostro", NAMES[9], 500_000, value_date=on("2024-05-15")))
    pass_days()
    first_day = {one.account: one.amount for one in accruals(on("2024-05-15").toordinal())}
    assert first_day == {**dict.fromkeys(NAMES[:9], 100), NAMES[9]: 150}


def accruals(day: int) -> list[Accrual]:
    return [
        one
        for event in story().events()
        if isinstance(event, InterestAccrued) and event.business_date.toordinal() == day
        for one in event.credits
    ]


def test_days_that_fell_behind_are_done_each_and_in_order() -> None:
    given(*SAVERS)
    when(advance(MIDNIGHT_MS + 4 * DAY_MS + 3_600_000))
    done = [event.business_date.day for event in story().events() if isinstance(event, DayFinished)]
    assert done == [15, 16, 17, 18, 19]
    assert all(bearing(name).credit == 500 for name in NAMES)


def test_a_wall_book_catches_up_while_it_decides() -> None:
    given(book(clock="wall"), *SAVERS)
    told = story()
    told.now = MIDNIGHT_MS + 2_000
    for _ in range(3):
        when(internal(f"x{told.now}"))
    told.now += 23 * 3_600_000
    when(internal("y"))
    told.now += 3_600_000
    begun = len(told.events())
    when(internal("z"))
    assert [kind for kind in kinds(begun) if kind is BusinessDateRolled]
    assert len(told.book.end_of_day.pending) == 2  # nobody waited for the day before
    while told.book.end_of_day.due_ms is not None:
        told.now += PACE_MS
        told.idle()
    assert all(bearing(name).credit == 200 for name in NAMES)
    assert not told.book.end_of_day.pending


# --- killed anywhere --------------------------------------------------------------------------------------


def persist(told: Story, said: Said) -> None:
    """Send a command until it is answered, whatever becomes of the engine meanwhile."""
    told.now += 1
    command = told.command(said)
    record = Out(b"main", encode(command))
    offset = told.log.submit([record]).start
    while told.worker.position < offset:
        try:
            told.worker.step()
        except (Crash, DaybookError):
            told.recover()
            if told.worker.position < offset:
                told.log.submit([record])


def month_end(told: Story) -> str:
    """Over the end of a month, with commands between slices; the digest when all is done."""
    persist(told, advance(END_OF_MAY_MS))
    for number in range(12):
        told.now = END_OF_MAY_MS + (number + 1) * 100
        value_date = on("2024-05-20") if number % 3 else on("2024-07-02")
        persist(told, transfer(NAMES[number % 10], NAMES[(number + 3) % 10], 7, value_date=value_date))
    persist(told, advance(END_OF_MAY_MS + 3_600_000))
    assert not told.book.end_of_day.pending
    assert {InterestCapitalised, MonthEnded} <= set(kinds())
    assert kinds().count(ClosingBalancesAdded) == 4  # of 15 accounts
    return book_digest(told.book)


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOST_ACK, Fault.NOT_STORED])
def test_it_is_killed_at_any_commit_and_resumed(fault: Fault) -> None:
    told = given(*SAVERS)
    commits = told.log.faults.commits
    whole = month_end(told)
    steps = told.log.faults.commits - commits
    assert steps > 80
    for step in range(steps):
        told = given(*SAVERS)
        told.log.faults._at_commit[told.log.faults.commits + step] = fault
        assert month_end(told) == whole, f"killed at commit {step}"

"""A month's closing balances against their naive twin: sums over all postings by value date, whatever happens
between the slices in which accounts are added up, and however many months wait for it.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from book.end_of_day import PACE_MS
from book.month_ends import MOST_MONTHS
from book.months import line_key
from commands import months as deciding
from schemas.books import ClosePeriod, ConfirmClock
from schemas.catalogue import MONEY_EVENTS
from schemas.closing import ClosingBalancesAdded, MonthEnded, PeriodBalances
from schemas.message import Date, Event
from tests.interest_words import on
from tests.story import (
    DAY_MS,
    Word,
    account,
    book,
    forget,
    given,
    internal,
    prove,
    say,
    story,
    transfer,
    when,
)

A_DAY = datetime.timedelta(days=1)
END_OF_MAY_MS = 1_717_200_000_000
NAMES = ("a", "b", "c", "fees", "rent", "nostro")
BANK: list[Word] = [
    book(clock="wall"),
    internal("fees", "income"),
    internal("rent", "expense"),
    *(account(name, 10_000, overdraft=1_000_000_000) for name in ("a", "b", "c")),
    account("dollars", 77, currency="USD"),
]
STEP = st.one_of(
    st.tuples(
        st.just("move"),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.integers(1, 999),
        st.integers(-40, 70),
    ),
    st.tuples(st.just("open")),
    # A slice is due or is not, a day goes by, and months of which nothing is added up yet.
    st.tuples(st.just("later"), st.sampled_from((1, PACE_MS, PACE_MS, DAY_MS, 16 * DAY_MS, 70 * DAY_MS))),
    st.tuples(st.just("idle"), st.integers(1, 4)),
)


def postings_by(day: Date, events: list[Event]) -> dict[str, int]:
    """What every account holds by value date. Accounts that hold nothing are left out."""
    sums: dict[str, int] = defaultdict(int)
    for event in events:
        if type(event) in MONEY_EVENTS and event.value_date <= day:  # type: ignore[attr-defined]
            for posting in event.postings:  # type: ignore[attr-defined]
                sums[posting.account] += posting.amount
    return {name: amount for name, amount in sums.items() if amount}


def lines_of(balances: dict[str, int]) -> dict[str, int]:
    lines: dict[str, int] = defaultdict(int)
    for name, amount in balances.items():
        lines[line_key(story().book.accounts[name])] += amount
    return {line: amount for line, amount in lines.items() if amount}


def told_lines(event: MonthEnded | PeriodBalances) -> dict[str, int]:
    return {f"{one.ledger}\n{one.currency}": one.balance for one in event.lines if one.balance}


def results_of(balances: dict[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in balances.items() if name in ("fees", "rent")}


def wait(ms: int) -> None:
    """The wall clock goes on; where that looks like a jump, it is confirmed."""
    told = story()
    told.now += ms
    if ms >= DAY_MS:
        when(say(ConfirmClock, reason="It is that late."))


def finish() -> None:
    """All that closed days left is done, while nobody sends anything."""
    told = story()
    for _ in range(10_000):
        if told.book.end_of_day.due_ms is None:
            return
        told.now = max(told.now, told.book.end_of_day.due_ms)
        told.idle()
    raise AssertionError("end of day comes to an end")


@settings(max_examples=80, deadline=None)
@for_all(st.lists(STEP, max_size=40), st.sampled_from((1, 2, 3, 5_000)))
def test_a_month_is_what_all_postings_by_value_date_say(steps: list[Any], slice_of: int) -> None:
    had, deciding.SLICE = deciding.SLICE, slice_of
    try:
        _lives(steps)
        prove()  # with slices of that size
    finally:
        deciding.SLICE = had
        forget()


def _lives(steps: list[Any]) -> None:
    given(*BANK)
    told = story()
    wait(END_OF_MAY_MS - PACE_MS - told.now)
    opened = 0
    for step in steps:
        match step:
            case ("move", debit, credit, amount, days) if debit != credit:
                value_date = max(told.book.business_date + days * A_DAY, told.book.open_from)
                when(transfer(debit, credit, amount, value_date=value_date))
            case ("open",):
                opened += 1
                when(internal(f"more-{opened}"), transfer(f"more-{opened}", "a", opened))
            case ("later", ms):
                wait(ms)
            case ("idle", times):
                for _ in range(times):
                    told.now += PACE_MS
                    told.idle()
            case _:
                pass
    wait(DAY_MS)
    finish()
    events = told.events()
    ended = [event for event in events if isinstance(event, MonthEnded)]
    assert [one.business_date.month for one in ended] == [
        (4 + number) % 12 + 1 for number in range(len(ended))
    ]
    for event in ended:
        before = [one for one in events if one.book == event.book and one.seq < event.seq]
        assert told_lines(event) == lines_of(postings_by(event.business_date, before))
    for month in told.book.closing.months:
        balances = postings_by(Date.fromordinal(month.day), events)
        assert {one: held for one, held in month.sums.lines.items() if held} == lines_of(balances)
        assert {one: held for one, held in month.sums.results.items() if held} == results_of(balances)
        assert month.since is None
    if ended:
        when(say(ClosePeriod, through=ended[-1].business_date))
        closed = [one for one in told.last if isinstance(one, PeriodBalances)]
        assert [told_lines(one) for one in closed] == [
            lines_of(postings_by(one.through, events)) for one in closed
        ]
        assert len(closed) == len(ended)
    told.check()


def test_accounts_count_with_what_they_held_at_midnight() -> None:
    """Worked: two accounts a slice; what moves between slices is in none of them."""
    had, deciding.SLICE = deciding.SLICE, 2
    try:
        given(
            book(clock="wall"),
            account("alice", 100),
            account("bob", 50),
            internal("fees", "income"),
        )
        told = story()
        wait(END_OF_MAY_MS - 10 - told.now)
        when(transfer("alice", "bob", 7, value_date=on("2024-07-01")))  # of July: neither May's nor June's
        told.now = END_OF_MAY_MS
        when(transfer("bob", "alice", 30))  # June's, before any account is counted
        begun = len(told.events())
        told.now += PACE_MS
        when(transfer("alice", "fees", 20), transfer("bob", "fees", 1, value_date=on("2024-05-31")))
        told.now += PACE_MS
        when(account("late", 1_000))
        finish()
        added = [event for event in told.events()[begun:] if isinstance(event, ClosingBalancesAdded)]
        # nostro and nostro-usd, alice and bob, fees; the account that was opened since is not asked.
        assert [(one.first, one.last, [line.balance for line in one.lines]) for one in added] == [
            (0, 2, [-150]),
            (2, 4, [150]),
            (4, 5, []),
        ]
        (ended,) = (event for event in told.events() if isinstance(event, MonthEnded))
        # What was added, and one minor unit that was booked since with a value date in May.
        assert [one.balance for one in ended.lines] == [-150, 149, 1]
        assert told.book.closing.months[0].sums.results == {"fees": 1}
        prove()
    finally:
        deciding.SLICE = had
        forget()


def test_what_is_remembered_is_bounded() -> None:
    given(book(clock="wall"), account("alice", 100))
    told = story()
    for _ in range(MOST_MONTHS // 2 + 2):
        wait(61 * DAY_MS)
    when(internal("other"))  # before which every midnight comes, and one slice
    assert len(told.book.closing.months) == MOST_MONTHS
    finish()
    assert [one.since for one in told.book.closing.months] == [None] * MOST_MONTHS
    ended = [event for event in told.events() if isinstance(event, MonthEnded)]
    assert len(ended) >= MOST_MONTHS
    assert not told.book.closing.forward

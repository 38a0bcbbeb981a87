"""Months end with their balances, periods close with them, and a year's result becomes retained earnings."""

from __future__ import annotations

import datetime

import pytest

from book.end_of_day import PACE_MS
from commands import closing as deciding
from schemas.books import ClosePeriod, PeriodClosed
from schemas.closing import (
    CloseYear,
    ClosingBalancesAdded,
    LineBalance,
    MonthEnded,
    PeriodBalances,
    ResultBalance,
    YearClosed,
)
from schemas.fields import INT64_MAX
from schemas.rejections import Reason
from tests.interest_words import BANK, bearing, interest, on, pass_days, product
from tests.story import (
    DAY_MS,
    Said,
    Word,
    account,
    advance,
    balance,
    closed,
    given,
    happened,
    internal,
    later,
    party,
    rejected,
    say,
    story,
    then,
    transfer,
    when,
)

NEW_YEAR_MS = 1_735_689_600_000
"""1 January 2025 begins."""
DECEMBER: Word = [
    internal("fees", "income"),
    internal("fees-usd", "income", currency="USD"),
    internal("rent", "expense"),
    internal("retained", "equity"),
    internal("retained-usd", "equity", currency="USD"),
]


def year(*retained: str, of: int = 2024) -> Said:
    return say(CloseYear, year=of, retained_earnings=retained)


def to(at_ms: int) -> Word:
    return [later(ms=at_ms - 1 - story().now), advance(at_ms)]


GIVEN: list[Word] = [
    DECEMBER,
    account("alice", 10_000),
    internal("gone", "equity"),
    closed("gone"),
    transfer("alice", "fees", 700),
    transfer("nostro-usd", "fees-usd", INT64_MAX, currency="USD"),
    internal("nostro-2", currency="USD"),
    transfer("nostro-2", "retained-usd", 1, currency="USD"),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("day_not_finished", year("nobody", of=2025)),
    ("period_not_open", year("nobody", of=2023)),
    ("account_not_found", year("nobody", "gone", "fees")),
    ("account_not_open", year("gone", "fees")),
    ("account_kind_mismatch", year("fees")),
    ("currency_mismatch", year("retained")),
    ("overflow", year("retained", "retained-usd")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(to(NEW_YEAR_MS + DAY_MS))
    when(said)
    then(rejected(reason))


def test_a_month_ends_with_what_has_a_value_date_in_it() -> None:
    given(account("alice", 10_000), internal("fees", "income"), transfer("alice", "fees", 300))
    when(to(1_717_200_000_000 + 2 * PACE_MS))  # 1 June has begun, and May is added up
    (ended,) = (event for event in story().events() if isinstance(event, MonthEnded))
    assert ended.business_date == on("2024-05-31")
    assert ended.lines == (
        LineBalance("1000", "EUR", -10_000),
        LineBalance("2000", "EUR", 9_700),
        LineBalance("4000", "EUR", 300),
    )
    (added,) = (event for event in story().events() if isinstance(event, ClosingBalancesAdded))
    assert (added.first, added.last, added.lines) == (0, 4, ended.lines)
    assert added.results == (ResultBalance("fees", 300),)
    # What comes in June for May, and what comes for June.
    when(transfer("alice", "fees", 50, value_date=on("2024-05-20")), transfer("alice", "fees", 1))
    when(say(ClosePeriod, through=on("2024-05-31")))
    _, balances = then(
        happened(PeriodClosed, open_from=on("2024-06-01")),
        happened(PeriodBalances, through=on("2024-05-31")),
    )
    assert isinstance(balances, PeriodBalances)
    assert [one.balance for one in balances.lines] == [-10_000, 9_650, 350]
    assert story().book.closing.months == []


def test_a_months_result_has_the_interest_of_its_last_day() -> None:
    given(BANK, product(interest("0.0365")), account("alice", 1_000_000, product="savings"))
    pass_days(17)  # 1 June
    when(say(ClosePeriod, through=on("2024-05-31")))
    balances = story().last[1]
    assert isinstance(balances, PeriodBalances)
    lines = {one.ledger: one.balance for one in balances.lines}
    # 17 days at 1.00: an expense of May, paid with value 1 June, so that May owes it.
    assert lines == {"1000": -1_000_000, "1300": 1_700, "2000": 1_000_000, "5000": -1_700}
    assert (balance("alice"), balance("payable")) == (1_001_700, 0)
    assert bearing("alice").credit == 0


def test_several_months_close_each_with_its_balances() -> None:
    given(account("alice", 10_000))
    when(to(NEW_YEAR_MS + DAY_MS))
    when(say(ClosePeriod, through=on("2024-07-15")))
    closed = [one.through for one in story().last[1:] if isinstance(one, PeriodBalances)]
    assert closed == [on("2024-05-31"), on("2024-06-30")]
    assert len(story().book.closing.months) == 6


def test_a_years_income_and_expense_become_retained_earnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "CLOSED_AT_ONCE", 1)
    told = given(
        DECEMBER,
        account("alice", 10_000),
        transfer("alice", "fees", 700),
        transfer("rent", "nostro", 200),
    )
    when(to(NEW_YEAR_MS + DAY_MS))
    # January's own, and a late fee of December.
    when(transfer("alice", "fees", 40), transfer("alice", "fees", 5, value_date=on("2024-12-30")))
    when(year("retained"))
    then(
        happened(YearClosed, year=2024, value_date=on("2024-12-31")),
        happened(YearClosed, booking_date=on("2025-01-02")),
        happened(PeriodClosed, open_from=on("2025-01-01")),
        *(happened(PeriodBalances) for _ in range(8)),
    )
    # 7.00 + 0.05 fees - 2.00 rent = 5.05
    assert (balance("fees"), balance("rent"), balance("retained")) == (40, 0, 505)
    last = story().last[-1]
    assert isinstance(last, PeriodBalances)
    assert {one.ledger: one.balance for one in last.lines} == {
        "1000": -9_800,
        "2000": 9_295,
        "3000": 505,
        "4000": 0,
        "5000": 0,
    }
    when(year("retained"))
    then(rejected("period_not_open", date="2024-12-31", open_from="2025-01-01"))
    told.check()


def test_a_year_without_result_closes_all_the_same() -> None:
    given(DECEMBER, party("p"))
    when(to(NEW_YEAR_MS + DAY_MS))
    when(year())
    then(happened(PeriodClosed), *(happened(PeriodBalances, lines=()) for _ in range(8)))
    assert story().book.open_from == datetime.date(2025, 1, 1)

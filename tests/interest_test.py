"""Interest: what a day is worth, to the exact minor unit; what is carried; when it is booked."""

from __future__ import annotations

import datetime

import pytest

from schemas.books import ClosePeriod
from schemas.interest import CapitaliseInterest, InterestCapitalised
from schemas.rejections import Reason
from tests.interest_words import BANK, MIDNIGHT_MS, bearing, interest, pass_days, product
from tests.story import (
    TODAY,
    Said,
    Word,
    account,
    advance,
    balance,
    closed,
    given,
    happened,
    later,
    rejected,
    say,
    story,
    then,
    transfer,
    when,
)


def capitalise(account_id: str) -> Said:
    return say(CapitaliseInterest, account=account_id)


GIVEN: list[Word] = [
    BANK,
    product(interest("0.0365", "0.1")),
    account("idle", product="savings"),
    account("gone", product="savings"),
    closed("gone"),
    account("late", product="savings"),
    account("earning", 1_000_000, product="savings"),
    later(ms=MIDNIGHT_MS + 3_600_000 - 1_715_767_200_000),
    advance(MIDNIGHT_MS + 3_600_000),
    transfer("earning", "nostro", 1_000_000),
    transfer("nostro", "late", 100, value_date=TODAY),
    transfer("late", "nostro", 100),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("account_not_found", capitalise("nobody")),
    ("account_not_open", capitalise("gone")),
    ("no_interest_accrued", capitalise("idle")),
    ("no_interest_accrued", capitalise("nostro")),
    # closing
    ("day_not_finished", closed("late")),
    ("interest_accrued", closed("earning")),
    ("account_in_use", closed("interest-received")),
]
NOT_FINISHED: list[Word] = [
    BANK,
    product(interest("0.0365")),
    account("idle", product="savings"),
    later(ms=MIDNIGHT_MS - 1_715_767_200_000),
    advance(MIDNIGHT_MS + 10),
]
UNFINISHED: list[tuple[Reason, Said]] = [("day_not_finished", say(ClosePeriod, through=TODAY))]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))


@pytest.mark.parametrize(("reason", "said"), UNFINISHED)
def test_what_a_day_has_to_book_stands_against_closing_it(reason: Reason, said: Said) -> None:
    given(*NOT_FINISHED)
    when(said)
    then(rejected(reason, date=TODAY.isoformat()))
    when(closed("idle"))
    then(rejected("day_not_finished", date=TODAY.isoformat()))
    pass_days()
    when(say(ClosePeriod, through=TODAY))
    assert story().book.open_from == TODAY + datetime.timedelta(days=1)


def test_a_days_interest_accrues_and_is_booked_when_the_month_is_over() -> None:
    given(BANK, product(interest("0.0365")), account("alice", 1_000_000, product="savings"))
    pass_days()
    # 10,000.00 x 3.65 % / 365 = 1.00
    assert (bearing("alice").credit, bearing("alice").credit_rest) == (100, 0)
    assert (balance("payable"), balance("interest-paid")) == (100, -100)
    pass_days(15)
    assert balance("alice") == 1_000_000  # 31 May has begun
    pass_days()
    # 15 to 31 May: 17 days
    assert balance("alice") == 1_000_000 + 1_700
    assert (bearing("alice").credit, balance("payable")) == (0, 0)
    pass_days()
    # and now it bears interest itself: 10,017.00 x 3.65 % / 365 = 1.0017
    assert (bearing("alice").credit, bearing("alice").credit_rest * 10_000) == (100, 17 * 365 * 72 * 10**14)


def test_interest_is_booked_by_command_and_then_the_account_can_be_closed() -> None:
    given(*GIVEN)
    when(capitalise("earning"))
    then(happened(InterestCapitalised, through=TODAY, value_date=TODAY + datetime.timedelta(days=1)))
    assert balance("earning") == 100
    when(transfer("earning", "nostro", 100), closed("earning"))
    assert not story().book.accounts["earning"].is_open
    pass_days(3)
    assert story().book.end_of_day.pending == []


def test_an_account_that_a_later_version_books_on_stays_open() -> None:
    given(BANK, product(interest("0.0365", "0.1"), effective_from_ms=MIDNIGHT_MS))
    when(closed("interest-received"))
    then(rejected("account_in_use", product="savings"))

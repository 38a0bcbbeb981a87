"""Value dates: money that is booked and counts later, also when taken back, and money that came too late."""

from __future__ import annotations

import datetime

import pytest

from schemas.approvals import ApprovalFailed, ApprovalGiven, ApprovalRequested
from schemas.postings import Posting
from schemas.rejections import Reason
from schemas.reserves import Reserve
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from schemas.value_dates import FURTHEST_DAYS, BackValuedPosted, CreditReleased
from tests.approvals_words import approve, line, policy, staff
from tests.currencies_words import back_valued
from tests.interest_words import BANK as INTEREST
from tests.interest_words import bearing, days_go_by, interest, product
from tests.story import (
    DAY_MS,
    TODAY,
    Said,
    Word,
    account,
    advance,
    balance,
    block,
    closed,
    entries,
    given,
    grant,
    happened,
    internal,
    later,
    party_becomes,
    refund,
    rejected,
    reversal,
    role,
    story,
    the_account,
    then,
    transfer,
    when,
)

A_DAY = datetime.timedelta(days=1)
IN_A_WEEK = TODAY + 7 * A_DAY
MIDNIGHT_MS = 1_715_817_600_000
"""When 16 May 2024 begins."""
IN_A_WEEK_MS = MIDNIGHT_MS + 6 * DAY_MS
LAST_YEAR = datetime.date(2023, 12, 31)
APRIL = datetime.date(2024, 4, 30)


def until(at_ms: int) -> Word:
    return [later(ms=at_ms - story().now), advance(at_ms)]


def available(account_id: str) -> int:
    one = the_account(account_id)
    return one.booked - one.held + one.overdraft


# --- ahead ------------------------------------------------------------------------------------------------


def test_what_counts_later_is_booked_now_and_spent_no_sooner() -> None:
    given(account("alice", 100), account("bob", 5))
    when(transfer("alice", "bob", 30, value_date=IN_A_WEEK))
    then(
        happened(
            TransferPosted,
            booking_date=TODAY,
            value_date=IN_A_WEEK,
            postings=(Posting("alice", -30, "EUR", 70), Posting("bob", 30, "EUR", 35)),
            reserves=(Reserve("bob", 30, 30),),
            available_at_ms=IN_A_WEEK_MS,
        )
    )
    assert (balance("bob"), available("bob"), available("alice")) == (35, 5, 70)
    when(transfer("bob", "alice", 6))
    then(rejected("insufficient_funds", available=5, needed=6))
    when(until(IN_A_WEEK_MS - 3), transfer("bob", "alice", 6))
    then(rejected("insufficient_funds", available=5, needed=6))
    when(until(IN_A_WEEK_MS), transfer("bob", "alice", 35))
    then(happened(TransferPosted))
    assert not story().book.deferred
    [released] = [one for one in story().events() if isinstance(one, CreditReleased)]
    assert (released.at, released.reserves) == (IN_A_WEEK_MS, (Reserve("bob", -30, 0),))


def test_a_value_date_may_be_a_leap_year_ahead_and_no_further() -> None:
    given(account("alice", 100), account("bob"))
    when(transfer("alice", "bob", 1, value_date=TODAY + FURTHEST_DAYS * A_DAY))
    then(happened(TransferPosted))
    when(transfer("alice", "bob", 1, value_date=TODAY + (FURTHEST_DAYS + 1) * A_DAY))
    then(rejected("value_date_in_future", value_date="2025-05-17", booking_date="2024-05-15"))


def test_of_several_legs_what_each_customer_is_given_together_waits() -> None:
    given(account("alice", 100), account("bob", 5), internal("fees", "income"))
    legs = (("alice", -60), ("bob", 55), ("bob", -5), ("fees", 10))
    when(entries(*legs, value_date=IN_A_WEEK))
    then(happened(EntriesPosted, reserves=(Reserve("bob", 50, 50),)))
    assert (balance("bob"), available("bob")) == (55, 5)


def test_the_banks_own_accounts_have_no_floor_and_reserve_nothing() -> None:
    given(account("alice", 100))
    when(transfer("alice", "nostro", 10, value_date=IN_A_WEEK))
    then(happened(TransferPosted, reserves=(), available_at_ms=IN_A_WEEK_MS))
    when(until(IN_A_WEEK_MS))
    assert not story().book.deferred


def test_an_overdraft_can_be_spent_while_what_fills_it_waits() -> None:
    given(account("alice", 100), account("bob", overdraft=50))
    when(transfer("bob", "alice", 30), transfer("alice", "bob", 30, value_date=IN_A_WEEK))
    assert (balance("bob"), available("bob")) == (0, 20)
    when(transfer("bob", "alice", 21))
    then(rejected("insufficient_funds", available=20, needed=21))


def test_an_account_with_money_that_waits_stays_open() -> None:
    given(account("alice", 100), account("bob"), transfer("alice", "bob", 30, value_date=IN_A_WEEK))
    when(closed("bob"))
    then(rejected("account_not_empty", booked=30, held=30))


SAVERS: Word = [
    INTEREST,
    product(interest("0.0365")),
    account("alice", 2_000_000),
    account("bob", product="savings"),
]


def test_interest_begins_on_the_value_date_and_not_when_it_is_booked() -> None:
    """10,000.00 at 3.65 %, ACT/365, is 1.00 a day: none on the 15th and 16th, then one each day."""
    given(
        INTEREST, product(interest("0.0365")), account("alice", 2_000_000), account("bob", product="savings")
    )
    when(transfer("alice", "bob", 1_000_000, value_date=TODAY + 2 * A_DAY))
    found = []
    for _ in range(4):
        when(days_go_by())
        found.append(bearing("bob").credit)
    assert found == [0, 0, 100, 200]


def test_what_was_taken_back_before_its_day_never_bore_interest() -> None:
    given(
        INTEREST, product(interest("0.0365")), account("alice", 2_000_000), account("bob", product="savings")
    )
    when(transfer("alice", "bob", 1_000_000, value_date=TODAY + 2 * A_DAY, reference="rent"), days_go_by())
    when(reversal("rent"))
    when(days_go_by(4))
    assert (bearing("bob").credit, bearing("bob").debit) == (0, 0)


def test_back_value_recalculates_the_interest_of_the_days_before() -> None:
    """1.00 a day: two days are done without any, then it comes with the value date of the first of them."""
    given(
        INTEREST, product(interest("0.0365")), account("alice", 2_000_000), account("bob", product="savings")
    )
    when(days_go_by(2))
    assert bearing("bob").credit == 0
    when(transfer("alice", "bob", 1_000_000, value_date=TODAY), days_go_by())
    assert bearing("bob").credit == 300


# --- taken back before its day ----------------------------------------------------------------------------


def test_a_reversal_before_the_day_takes_what_waits_and_counts_from_the_same_day() -> None:
    given(account("alice", 100), account("bob", 5))
    when(transfer("alice", "bob", 30, value_date=IN_A_WEEK, reference="rent"), reversal("rent"))
    then(
        happened(
            TransferReversed,
            booking_date=TODAY,
            value_date=IN_A_WEEK,
            reserves=(Reserve("bob", -30, 0),),
        )
    )
    assert (available("alice"), available("bob"), the_account("bob").held) == (100, 5, 0)
    assert not story().book.deferred
    when(until(IN_A_WEEK_MS))
    assert CreditReleased not in [type(one) for one in story().events()]


def test_a_reversal_needs_nothing_but_what_waits_even_where_the_rest_is_spent() -> None:
    given(account("alice", 100), account("bob", 5), transfer("bob", "alice", 5))
    when(transfer("alice", "bob", 30, value_date=IN_A_WEEK, reference="rent"), reversal("rent"))
    then(happened(TransferReversed))
    assert available("bob") == 0


def test_refunds_before_the_day_leave_the_rest_waiting() -> None:
    given(account("alice", 100), account("bob"))
    when(transfer("alice", "bob", 30, value_date=IN_A_WEEK, reference="rent"), refund("rent", 10))
    then(happened(TransferRefunded, value_date=IN_A_WEEK, reserves=(Reserve("bob", -10, 20),)))
    assert (balance("bob"), available("bob")) == (20, 0)
    when(refund("rent", 20))
    then(happened(TransferRefunded, reserves=(Reserve("bob", -20, 0),)))
    when(until(IN_A_WEEK_MS))
    assert [one.reserves for one in story().events() if isinstance(one, CreditReleased)] == [()]


def test_on_its_day_it_is_taken_back_like_any_other() -> None:
    given(account("alice", 100), account("bob"))
    when(transfer("alice", "bob", 30, value_date=IN_A_WEEK, reference="rent"), until(IN_A_WEEK_MS))
    when(reversal("rent"))
    then(happened(TransferReversed, value_date=IN_A_WEEK, booking_date=IN_A_WEEK, reserves=()))


# --- before the open period -------------------------------------------------------------------------------

BY_CHECKERS = policy(line("PostBackValued"), document="back-value")
SIDES: Word = [account("alice", 100), account("bob")]


def test_nobody_posts_before_the_open_period_alone() -> None:
    given(SIDES)
    when(back_valued(("alice", -1), ("bob", 1), value_date=APRIL))
    then(rejected("approval_needed"))


def test_with_the_yes_of_another_it_is_posted_and_counts_from_then() -> None:
    given(SIDES, staff(), role("poster", "PostBackValued"), grant("mia", "poster"), BY_CHECKERS)
    when(back_valued(("alice", -1), ("bob", 1), value_date=APRIL).by("mia"))
    (asked,) = then(happened(ApprovalRequested))
    assert isinstance(asked, ApprovalRequested)
    assert asked.terms.value_dates == ("2024-04-30",)
    assert balance("bob") == 0
    when(approve("cora"))
    then(
        happened(ApprovalGiven),
        happened(BackValuedPosted, booking_date=TODAY, value_date=APRIL, reason="the transfer was lost"),
    )
    assert balance("bob") == 1


def test_a_policy_that_is_gone_when_the_yes_comes_is_none() -> None:
    given(SIDES, staff(), role("poster", "PostBackValued"), grant("mia", "poster"), BY_CHECKERS)
    when(back_valued(("alice", -1), ("bob", 1), value_date=APRIL).by("mia"))
    when(policy(line("Transfer"), document="back-value", version=2), approve("cora"))
    then(happened(ApprovalGiven), happened(ApprovalFailed, reason="approval_needed"))
    assert balance("bob") == 0


REJECTIONS: list[tuple[Reason, Said]] = [
    ("too_many_legs", back_valued(("nobody", 0), value_date=TODAY)),
    ("zero_amount", back_valued(("nobody", 1), ("nobody", 0), value_date=TODAY)),
    ("account_not_found", back_valued(("nobody", -5), ("closed-usd", 4), value_date=TODAY)),
    ("account_not_open", back_valued(("closed-usd", -5), ("usd", 4), value_date=TODAY)),
    ("currency_mismatch", back_valued(("usd", -5), ("alice", 4), value_date=TODAY)),
    ("unbalanced", back_valued(("barred", -5), ("alice", 4), value_date=TODAY)),
    ("period_still_open", back_valued(("barred", -5), ("alice", 5), value_date=TODAY.replace(day=1))),
    ("year_closed", back_valued(("barred", -5), ("alice", 5), value_date=LAST_YEAR)),
    ("approval_needed", back_valued(("barred", -5), ("alice", 5), value_date=APRIL)),
    ("party_not_active", back_valued(("barred", -5), ("blocked", 5), value_date=APRIL)),
    ("account_blocked", back_valued(("blocked", -5), ("alice", 5), value_date=APRIL)),
    ("insufficient_funds", back_valued(("bob", -5), ("full", 5), value_date=APRIL)),
    ("overflow", back_valued(("nostro", -500), ("full", 500), value_date=APRIL)),
]
FAULTS: Word = [
    SIDES,
    account("barred", 5),
    party_becomes("p-barred", "blocked"),
    account("blocked", 5),
    block("blocked", "b"),
    account("usd", currency="USD"),
    account("closed-usd", currency="USD"),
    closed("closed-usd"),
    account("full"),
    transfer("nostro", "full", 2**63 - 1 - 120),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(FAULTS, staff(), [] if reason == "approval_needed" else BY_CHECKERS)
    when(said)
    then(rejected(reason))

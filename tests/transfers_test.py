"""Transfers: money moves between two accounts or among many, and is taken back by reference."""

from __future__ import annotations

import datetime

import pytest

from schemas.fields import INT64_MAX
from schemas.postings import Posting
from schemas.rejections import Reason
from schemas.transfers import MOST_LEGS, EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from schemas.value_dates import FURTHEST_DAYS
from tests.payment_words import hold
from tests.risk_words import barred_channel
from tests.story import (
    TODAY,
    Said,
    Word,
    account,
    balance,
    block,
    book,
    closed,
    entries,
    given,
    happened,
    internal,
    later,
    party,
    party_becomes,
    refund,
    rejected,
    reversal,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import limit, limits, product

A_DAY = datetime.timedelta(days=1)
YESTERDAY, TOO_LATE = TODAY - A_DAY, TODAY + (FURTHEST_DAYS + 1) * A_DAY
OPEN_FROM = TODAY.replace(day=1)
TOO_MUCH = INT64_MAX


# --- transfers --------------------------------------------------------------------------------------------


def test_a_transfer_moves_money_and_carries_both_balances() -> None:
    given(account("alice", balance=100), account("bob", balance=5))
    when(transfer("alice", "bob", 30, reference="rent"))
    then(
        happened(
            TransferPosted,
            debit="alice",
            credit="bob",
            amount=30,
            currency="EUR",
            booking_date=TODAY,
            value_date=TODAY,
            reference="rent",
            postings=(Posting("alice", -30, "EUR", 70), Posting("bob", 30, "EUR", 35)),
        )
    )
    assert (balance("alice"), balance("bob")) == (70, 35)


def test_a_customer_can_spend_what_is_there_and_not_one_cent_more() -> None:
    given(account("alice", balance=100), account("bob"))
    when(transfer("alice", "bob", 101))
    then(rejected("insufficient_funds", available=100, needed=101, currency="EUR"))
    assert (balance("alice"), balance("bob")) == (100, 0)
    when(transfer("alice", "bob", 100))
    then(happened(TransferPosted))
    assert (balance("alice"), balance("bob")) == (0, 100)


def test_an_overdraft_can_be_spent_to_its_last_cent() -> None:
    given(account("alice", balance=100, overdraft=50), account("bob"))
    when(transfer("alice", "bob", 151))
    then(rejected("insufficient_funds", available=150, needed=151))
    when(transfer("alice", "bob", 150))
    then(happened(TransferPosted))
    assert balance("alice") == -50


def test_what_is_held_cannot_be_spent() -> None:
    given(account("alice", balance=100), account("bob"), hold("alice", 40))
    when(transfer("alice", "bob", 61))
    then(rejected("insufficient_funds", available=60, needed=61, currency="EUR"))


def test_the_banks_own_accounts_have_no_floor() -> None:
    given(account("alice"), internal("fees", "income"))
    when(transfer("fees", "alice", 7))
    then(happened(TransferPosted))
    assert balance("fees") == -7


def test_a_value_date_may_be_earlier_within_the_open_period() -> None:
    given(account("alice", balance=100), account("bob"))
    for value_date in (OPEN_FROM, YESTERDAY, TODAY):
        when(transfer("alice", "bob", 1, value_date=value_date))
        then(happened(TransferPosted, booking_date=TODAY, value_date=value_date))


def test_a_party_that_is_not_active_can_still_be_paid() -> None:
    given(account("alice", balance=100), account("bob", balance=9), party_becomes("p-bob", "blocked"))
    when(transfer("alice", "bob", 30))
    then(happened(TransferPosted))
    when(transfer("bob", "alice", 1))
    then(rejected("party_not_active", party="p-bob", status="blocked"))


def test_a_block_stops_its_direction_only() -> None:
    given(
        account("alice", balance=100),
        account("payer-only", balance=10),
        account("payee-only", balance=10),
        block("payer-only", "b1", "credits"),
        block("payee-only", "b1", "debits"),
    )
    when(transfer("payer-only", "payee-only", 4))
    then(happened(TransferPosted))
    when(transfer("payee-only", "alice", 4))
    then(rejected("account_blocked", account="payee-only", direction="debits"))
    when(transfer("alice", "payer-only", 4))
    then(rejected("account_blocked", account="payer-only", direction="credits"))


def test_a_balance_may_reach_the_ends_of_64_bits_and_not_pass_them() -> None:
    given(internal("here"), internal("there"))
    when(transfer("here", "there", INT64_MAX))
    then(happened(TransferPosted))
    assert (balance("here"), balance("there")) == (-INT64_MAX, INT64_MAX)
    when(transfer("here", "nostro", 1))
    then(rejected("overflow", account="here"))
    when(transfer("nostro", "there", 1))
    then(rejected("overflow", account="there"))


# --- several legs -----------------------------------------------------------------------------------------


def test_legs_are_posted_together_each_with_its_balance_after() -> None:
    given(account("alice", balance=100), account("bob"), internal("fees", "income"))
    when(entries(("alice", -60), ("bob", 55), ("alice", -5), ("fees", 10), reference="order 1"))
    then(
        happened(
            EntriesPosted,
            booking_date=TODAY,
            value_date=TODAY,
            reference="order 1",
            postings=(
                Posting("alice", -60, "EUR", 40),
                Posting("bob", 55, "EUR", 55),
                Posting("alice", -5, "EUR", 35),
                Posting("fees", 10, "EUR", 10),
            ),
        )
    )
    assert (balance("alice"), balance("bob"), balance("fees")) == (35, 55, 10)


def test_legs_balance_in_every_currency_by_itself() -> None:
    given(internal("a"), internal("b", currency="USD"))
    legs = (("a", 5), ("nostro", -5), ("b", 7, "USD"), ("nostro-usd", -7, "USD"))
    when(entries(*legs, value_date=YESTERDAY))
    then(happened(EntriesPosted, booking_date=TODAY, value_date=YESTERDAY))
    when(entries(("a", 5), ("b", -5, "USD")))
    then(rejected("unbalanced", currency="EUR", sum=5))
    when(entries(*legs[:3], ("nostro-usd", -6, "USD")))
    then(rejected("unbalanced", currency="USD", sum=1))


def test_funds_are_asked_of_all_legs_of_an_account_together() -> None:
    given(account("alice", balance=10), account("bob"))
    when(entries(("alice", -15), ("bob", 8), ("alice", 7)))
    then(happened(EntriesPosted))
    assert balance("alice") == 2
    when(entries(("alice", -2), ("alice", -1), ("bob", 3)))
    then(rejected("insufficient_funds", available=2, needed=3))
    when(entries(("bob", -8), ("alice", 8)))
    then(happened(EntriesPosted))
    assert balance("bob") == 0


def test_an_account_below_its_floor_can_be_paid_in_several_legs() -> None:
    given(account("alice", balance=10), account("bob", balance=9))
    the_account("alice").held = 25  # below its floor, as after an approved exception
    when(entries(("alice", 4), ("bob", -4)))
    assert isinstance(story().last[0], EntriesPosted)


def test_a_posting_has_two_to_a_thousand_legs() -> None:
    given(internal("a"))
    when(entries(("a", 1)))
    then(rejected("too_many_legs", legs=1, most=MOST_LEGS))
    many = [("a", 1), ("nostro", -1)] * (MOST_LEGS // 2)
    when(entries(*many))
    then(happened(EntriesPosted))
    when(entries(*many, ("a", 1)))
    then(rejected("too_many_legs", legs=MOST_LEGS + 1))
    assert balance("a") == MOST_LEGS // 2


def test_a_figure_beyond_64_bits_is_text() -> None:
    given(account("alice"), account("bob"), account("carol"))
    when(entries(("alice", INT64_MAX), ("bob", INT64_MAX), ("carol", INT64_MAX)))
    then(rejected("unbalanced", sum=str(3 * INT64_MAX)))
    legs = [("alice", -INT64_MAX)] * 3 + [(one, INT64_MAX) for one in ("bob", "carol", "nostro")]
    when(entries(*legs))
    then(rejected("insufficient_funds", needed=str(3 * INT64_MAX)))
    when(entries(("alice", -INT64_MAX), ("bob", INT64_MAX)))
    then(rejected("insufficient_funds", needed=INT64_MAX))


def test_a_balance_may_not_leave_64_bits_between_two_legs() -> None:
    given(internal("here"), internal("there"))
    when(entries(("here", -INT64_MAX), ("there", INT64_MAX)))
    then(happened(EntriesPosted))
    when(entries(("there", 1), ("there", -1)))
    then(rejected("overflow", account="there"))
    when(entries(("here", -1), ("here", 1)))
    then(rejected("overflow", account="here"))
    when(entries(("there", -1), ("there", 1)))
    then(happened(EntriesPosted))


# --- taken back -------------------------------------------------------------------------------------------


def test_a_reversal_takes_all_of_a_transfer_back_once() -> None:
    told = given(account("alice", balance=100), account("bob", balance=5))
    when(transfer("alice", "bob", 30, value_date=YESTERDAY, reference="rent"), reversal("rent"))
    then(
        happened(
            TransferReversed,
            transfer=told.seq_of("rent"),
            booking_date=TODAY,
            value_date=TODAY,
            reason="wrong",
            postings=(Posting("alice", 30, "EUR", 100), Posting("bob", -30, "EUR", 5)),
        )
    )
    when(reversal("rent"))
    then(rejected("already_reversed", transfer=told.seq_of("rent")))
    when(refund("rent", 1))
    then(rejected("already_reversed"))
    assert (balance("alice"), balance("bob")) == (100, 5)


def test_a_posting_with_several_legs_is_reversed_and_never_refunded() -> None:
    given(account("alice", balance=100), account("bob"), internal("fees", "income"))
    when(entries(("alice", -10), ("bob", 9), ("fees", 1), reference="order"))
    when(refund("order", 1))
    then(rejected("transfer_not_found"))
    when(reversal("order"))
    then(happened(TransferReversed))
    assert (balance("alice"), balance("bob"), balance("fees")) == (100, 0, 0)
    when(reversal("order"))
    then(rejected("already_reversed"))


def test_refunds_never_exceed_the_original_together() -> None:
    told = given(account("alice", balance=100), account("shop"))
    when(transfer("alice", "shop", 30, reference="shoes"), refund("shoes", 10))
    then(
        happened(
            TransferRefunded,
            transfer=told.seq_of("shoes"),
            amount=10,
            currency="EUR",
            refunded_after=10,
            booking_date=TODAY,
            value_date=TODAY,
            reason="goods came back",
            postings=(Posting("shop", -10, "EUR", 20), Posting("alice", 10, "EUR", 80)),
        )
    )
    when(refund("shoes", 21))
    then(rejected("refund_exceeds_original", left=20, wanted=21))
    when(refund("shoes", 20))
    then(happened(TransferRefunded, refunded_after=30))
    when(refund("shoes", 1))
    then(rejected("refund_exceeds_original", left=0, wanted=1))
    assert (balance("alice"), balance("shop")) == (100, 0)


def test_what_was_partly_refunded_can_no_longer_be_reversed() -> None:
    given(account("alice", balance=100), account("shop"))
    when(transfer("alice", "shop", 30, reference="shoes"), refund("shoes", 10), reversal("shoes"))
    then(rejected("already_reversed"))


def test_what_takes_back_cannot_be_taken_back() -> None:
    told = given(account("alice", balance=100), account("shop"))
    when(transfer("alice", "shop", 30, reference="shoes"), refund("shoes", 10))
    for seq in (told.last[0].seq, 1, 10_000):
        when(reversal(seq))
        then(rejected("transfer_not_found", transfer=seq))
        when(refund(seq, 1))
        then(rejected("transfer_not_found", transfer=seq))


def test_a_transfer_can_be_taken_back_for_so_many_business_days() -> None:
    given(book(reversible_days=3), account("alice", balance=100), account("shop"))
    when(
        transfer("alice", "shop", 30, reference="first"),
        later(days=1),
        transfer("alice", "shop", 20, reference="second"),
        later(days=2),
        refund("first", 1),
    )
    then(happened(TransferRefunded, booking_date=TODAY + 3 * A_DAY, value_date=TODAY + 3 * A_DAY))
    when(later(days=1), refund("first", 1))
    then(rejected("transfer_not_found"))
    when(reversal("first"))
    then(rejected("transfer_not_found"))
    when(reversal("second"))
    then(happened(TransferReversed, booking_date=TODAY + 4 * A_DAY))


def test_transfers_of_several_days_are_found_by_seq() -> None:
    given(account("alice", balance=100), account("shop"))
    days: list[Word] = [
        [
            transfer("alice", "shop", 1 + day, reference=f"day {day}"),
            transfer("alice", "shop", 1),
            later(days=1),
        ]
        for day in range(4)
    ]
    when(*days)
    for day in (2, 0, 3, 1):
        when(reversal(f"day {day}"))
        then(happened(TransferReversed))
    assert balance("shop") == 4


# --- rejections -------------------------------------------------------------------------------------------

GIVEN: list[Word] = [
    # A name says what is wrong with the account; each but the last has the faults of those after it, too.
    party("p-bad"),
    account("closed-usd", currency="USD", party_id="p-bad"),
    closed("closed-usd"),
    account("blocked-usd", currency="USD", party_id="p-bad"),
    block("blocked-usd", "b"),
    account("of-blocked-party", party_id="p-bad"),
    block("of-blocked-party", "b"),
    party_becomes("p-bad", "blocked"),
    account("blocked"),
    block("blocked", "b"),
    account("no-credits"),
    block("no-credits", "b", "credits"),
    account("empty"),
    internal("lowest"),
    account("full"),
    transfer("lowest", "full", INT64_MAX),
    limits("tight", limit("each", 5, "transaction")),
    product("tied", pays=[], receives=[]),
    product("tight", limits=["tight"]),
    account("may-not", product="tied"),
    account("tight", product="tight"),
    barred_channel(),
]
USD = "USD"
PAST = OPEN_FROM - A_DAY

TAKEN_BACK: list[Word] = [
    # Each transfer could be taken back but for what became of the accounts, by name as above.
    *GIVEN,
    party("p-worse"),
    account("worst", party_id="p-worse"),
    transfer("nostro", "worst", 10, reference="reversed"),
    reversal("reversed"),
    transfer("nostro", "worst", 10, reference="to closed"),
    transfer("worst", "nostro", 10),
    closed("worst"),
    account("of-worse", party_id="p-worse"),
    transfer("nostro", "of-worse", 10, reference="to blocked party"),
    transfer("of-worse", "nostro", 10),
    block("of-worse", "b"),
    party_becomes("p-worse", "blocked"),
    account("later-blocked"),
    transfer("nostro", "later-blocked", 10, reference="to blocked"),
    transfer("later-blocked", "nostro", 10),
    block("later-blocked", "b"),
    account("spent"),
    transfer("full", "spent", 10, reference="spent"),
    transfer("spent", "full", 10),
    account("rich"),
    transfer("full", "rich", 10, reference="payer is full"),
    transfer("nostro", "full", 10),
    entries(("nostro", -10), ("rich", 10), reference="several legs"),
]

REJECTIONS: list[tuple[Reason, Said]] = [
    # One row a rejection, in the order in which they are checked; each row has the later faults, too.
    ("same_account", transfer("nobody", "nobody", TOO_MUCH, currency=USD, value_date=TOO_LATE)),
    ("account_not_found", transfer("nobody", "closed-usd", TOO_MUCH, value_date=TOO_LATE)),
    ("account_not_found", transfer("closed-usd", "nobody", TOO_MUCH, value_date=TOO_LATE)),
    ("account_not_open", transfer("closed-usd", "blocked-usd", TOO_MUCH, value_date=TOO_LATE)),
    ("account_not_open", transfer("of-blocked-party", "closed-usd", TOO_MUCH, value_date=TOO_LATE)),
    ("currency_mismatch", transfer("blocked-usd", "no-credits", TOO_MUCH, value_date=TOO_LATE)),
    ("currency_mismatch", transfer("of-blocked-party", "blocked-usd", TOO_MUCH, value_date=TOO_LATE)),
    ("currency_mismatch", transfer("blocked-usd", "closed-usd", TOO_MUCH, value_date=TOO_LATE)),
    ("party_not_active", transfer("of-blocked-party", "no-credits", TOO_MUCH, value_date=TOO_LATE)),
    ("account_blocked", transfer("blocked", "no-credits", TOO_MUCH, value_date=TOO_LATE)),
    ("account_blocked", transfer("empty", "no-credits", TOO_MUCH, value_date=TOO_LATE)),
    ("value_date_in_future", transfer("empty", "full", TOO_MUCH, value_date=TOO_LATE)),
    ("period_not_open", transfer("empty", "full", TOO_MUCH, value_date=PAST)),
    ("movement_not_allowed", transfer("tight", "may-not", TOO_MUCH)),
    ("movement_not_allowed", transfer("may-not", "full", TOO_MUCH)),
    ("limit_exceeded", transfer("tight", "full", TOO_MUCH)),
    ("insufficient_funds", transfer("empty", "full", TOO_MUCH, channel="barred")),
    ("overflow", transfer("lowest", "full", TOO_MUCH)),
    ("declined", transfer("rich", "empty", 1, channel="barred")),
    # several legs
    ("too_many_legs", entries(("nobody", 0), value_date=TOO_LATE)),
    ("zero_amount", entries(("nobody", 1), ("nobody", 0), value_date=TOO_LATE)),
    ("account_not_found", entries(("nobody", -5), ("closed-usd", 4), value_date=TOO_LATE)),
    ("account_not_open", entries(("closed-usd", -5), ("blocked-usd", 4), value_date=TOO_LATE)),
    ("currency_mismatch", entries(("blocked-usd", -5), ("no-credits", 4), value_date=TOO_LATE)),
    ("unbalanced", entries(("of-blocked-party", -5), ("no-credits", 4), value_date=TOO_LATE)),
    ("value_date_in_future", entries(("of-blocked-party", -5), ("full", 5), value_date=TOO_LATE)),
    ("period_not_open", entries(("of-blocked-party", -5), ("full", 5), value_date=PAST)),
    ("party_not_active", entries(("of-blocked-party", -5), ("full", 5))),
    ("account_blocked", entries(("blocked", -5), ("full", 5))),
    ("account_blocked", entries(("empty", -5), ("no-credits", 5))),
    ("insufficient_funds", entries(("full", 5), ("empty", -5))),
    ("overflow", entries(("nostro", -5), ("full", 5))),
    ("overflow", entries(("lowest", -5), ("nostro", 5))),
    # reversals
    ("transfer_not_found", reversal(1)),
    ("already_reversed", reversal("reversed")),
    ("account_not_open", reversal("to closed")),
    ("party_not_active", reversal("to blocked party")),
    ("account_blocked", reversal("to blocked")),
    ("insufficient_funds", reversal("spent")),
    ("overflow", reversal("payer is full")),
    # refunds
    ("transfer_not_found", refund(1, 11)),
    ("transfer_not_found", refund("several legs", 11)),
    ("already_reversed", refund("reversed", 11)),
    ("refund_exceeds_original", refund("to closed", 11)),
    ("account_not_open", refund("to closed", 10)),
    ("party_not_active", refund("to blocked party", 10)),
    ("account_blocked", refund("to blocked", 10)),
    ("insufficient_funds", refund("spent", 10)),
    ("overflow", refund("payer is full", 10)),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*TAKEN_BACK)
    before = {name: one.booked for name, one in story().book.accounts.items()}
    when(said)
    then(rejected(reason))
    assert {name: one.booked for name, one in story().book.accounts.items()} == before

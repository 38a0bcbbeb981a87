"""Fees: what a tariff charges, worked by hand, and how a fee is given back."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.fees import Fee, FeeWaived
from schemas.postings import Posting
from schemas.rejections import Reason
from schemas.transfers import TransferPosted
from tests.story import (
    Said,
    Word,
    account,
    balance,
    block,
    closed,
    given,
    happened,
    internal,
    refund,
    rejected,
    reversal,
    story,
    then,
    transfer,
    when,
)
from tests.terms_words import charged, fee, product, tariff, waived


def giro(account_id: str, balance: int = 1_000_000, **fields: Any) -> Word:
    return account(account_id, balance, product="giro", **fields)


def fees_of(*amounts: int, debit: str = "alice", **fields: Any) -> list[int]:
    """What these transfers cost, all lines together."""
    found = []
    for amount in amounts:
        ((event,),) = when(transfer(debit, "bob", amount, **fields))
        assert isinstance(event, TransferPosted), event
        found.append(sum(one.amount for one in event.fees))
    return found


def test_every_fee_is_a_posting_of_its_own_with_its_line() -> None:
    given(charged(fee("each", flat=50), fee("part", rate="0.01")), giro("alice", 10_000), account("bob"))
    when(transfer("alice", "bob", 2_000))
    then(
        happened(
            TransferPosted,
            fees=(
                Fee("prices", 1, "each", "alice", "fees", 50, "EUR"),
                Fee("prices", 1, "part", "alice", "fees", 20, "EUR"),  # 2,000 x 0.01
            ),
            postings=(
                Posting("alice", -2_000, "EUR", 8_000),
                Posting("bob", 2_000, "EUR", 2_000),
                Posting("alice", -50, "EUR", 7_950),
                Posting("fees", 50, "EUR", 50),
                Posting("alice", -20, "EUR", 7_930),
                Posting("fees", 20, "EUR", 70),
            ),
        )
    )
    assert (balance("alice"), balance("bob"), balance("fees")) == (7_930, 2_000, 70)


def test_a_fee_has_to_be_there_too() -> None:
    given(charged(fee("each", flat=50)), giro("alice", 100), account("bob"))
    when(transfer("alice", "bob", 51))
    then(rejected("insufficient_funds", available=100, needed=101))
    when(transfer("alice", "bob", 50))
    then(happened(TransferPosted))
    assert balance("alice") == 0


def test_who_pays_the_income_account_itself_is_charged_as_well() -> None:
    given(charged(fee("each", flat=50)), giro("alice", 200))
    when(transfer("alice", "fees", 100))
    then(happened(TransferPosted))
    assert (balance("alice"), balance("fees")) == (50, 150)


def test_a_transfer_is_reversed_with_its_fees_and_refunded_without() -> None:
    given(charged(fee("each", flat=50)), giro("alice", 1_000), account("bob"))
    when(transfer("alice", "bob", 100, reference="one"), reversal("one"))
    assert (balance("alice"), balance("bob"), balance("fees")) == (1_000, 0, 0)
    when(transfer("alice", "bob", 100, reference="two"), refund("two", 100))
    assert (balance("alice"), balance("bob"), balance("fees")) == (950, 0, 50)


def test_a_fee_is_given_back_once_and_not_again_with_its_transfer() -> None:
    given(charged(fee("each", flat=50), fee("more", flat=7)), giro("alice", 1_000), account("bob"))
    when(transfer("alice", "bob", 100, reference="one"), waived("one", "alice", "each"))
    then(
        happened(
            FeeWaived,
            fee=Fee("prices", 1, "each", "alice", "fees", 50, "EUR"),
            reason="goodwill",
            postings=(Posting("alice", 50, "EUR", 893), Posting("fees", -50, "EUR", 7)),
        )
    )
    when(waived("one", "alice", "each"))
    then(rejected("fee_not_found"))
    when(reversal("one"))
    assert (balance("alice"), balance("bob"), balance("fees")) == (1_000, 0, 0)
    when(waived("one", "alice", "more"))
    then(rejected("fee_not_found"))


GIVEN: list[Word] = [
    charged(fee("each", flat=50)),
    giro("closing", 150),
    account("bob"),
    transfer("closing", "bob", 100, reference="closed"),
    block("closing", "b"),
    giro("blocked", 150),
    transfer("blocked", "bob", 100, reference="blocked"),
    block("blocked", "b"),
    giro("shut", 150),
    transfer("shut", "bob", 100, reference="shut"),
    closed("shut"),
    internal("lowest"),
    giro("full", 150),
    transfer("full", "bob", 100, reference="full"),
    transfer("lowest", "full", 2**63 - 1),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("fee_not_found", waived(1, "shut", "each")),
    ("fee_not_found", waived("shut", "bob", "each")),
    ("fee_not_found", waived("shut", "shut", "other")),
    ("account_not_open", waived("shut", "shut", "each")),
    ("account_blocked", waived("blocked", "blocked", "each")),
    ("overflow", waived("full", "full", "each")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))


def test_a_fee_that_nobody_can_receive_stops_the_movement() -> None:
    given(charged(fee("each", flat=50)), giro("alice", 500), account("bob"), closed("fees"))
    when(transfer("alice", "bob", 100))
    then(rejected("account_not_open", account="fees"))
    when(
        internal("fees-2", "income"),
        tariff("prices", fee("each", flat=50, income="fees-2"), version=2),
        transfer("alice", "bob", 100),
    )
    then(happened(TransferPosted))
    assert story().book.in_force.products["giro"].tariff == "prices"
    when(product("giro", version=2), transfer("alice", "bob", 100))
    then(happened(TransferPosted, fees=()))
    assert fees_of(1) == [0]

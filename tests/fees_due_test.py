"""Monthly fees: charged after the last day with that value date; what cannot be paid is asked again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands import fees_due as deciding
from schemas.end_of_day import DayFinished
from schemas.fees_due import FeesCharged
from schemas.publishing import PublishDocument
from tests.interest_words import BANK, interest, on, pass_days
from tests.story import (
    DAY_MS,
    Word,
    account,
    advance,
    balance,
    block,
    closed,
    forget,
    given,
    internal,
    later,
    prove,
    say,
    story,
    transfer,
    when,
)

MAY_30_MS = 1_717_027_200_000
TARIFF = {
    "lines": [
        {"id": "basic", "currency": "EUR", "income": "fees", "every": "month", "flat": 300},
        {"id": "card", "currency": "EUR", "income": "fees", "every": "month", "flat": 100},
    ]
}


def documents(**product: object) -> Word:
    return [
        internal("fees", "income"),
        say(PublishDocument, kind="tariff", document="t", version=1, body=TARIFF),
        say(
            PublishDocument,
            kind="product",
            document="current",
            version=1,
            body={"name": "Current", "tariff": "t", **product},
        ),
    ]


@pytest.fixture(autouse=True)
def small_slices() -> Iterator[None]:
    had = deciding.CHARGED, deciding.SEARCHED
    deciding.CHARGED, deciding.SEARCHED = 2, 4
    yield
    prove()  # with slices of that size
    forget()
    deciding.CHARGED, deciding.SEARCHED = had


def charged() -> list[FeesCharged]:
    return [event for event in story().events() if isinstance(event, FeesCharged)]


def finished() -> int:
    return sum(isinstance(event, DayFinished) for event in story().events())


def to_june() -> Word:
    """2 a.m. on 1 June."""
    at_ms = MAY_30_MS + 2 * DAY_MS + 7_200_000
    return [later(ms=at_ms - story().now), advance(at_ms)]


def test_each_account_is_charged_once_a_month() -> None:
    given(documents(), *(account(f"a{number}", 1_000, product="current") for number in range(5)))
    when(to_june())
    assert [balance(f"a{number}") for number in range(5)] == [600] * 5
    assert balance("fees") == 2_000
    assert finished() == 1  # no other day has any work
    assert {(one.booking_date, one.value_date) for one in charged()} == {(on("2024-06-01"), on("2024-05-31"))}
    assert [fee.line for one in charged() for fee in one.fees] == ["basic", "card"] * 5
    assert max(len(one.postings) for one in charged()) == 3  # two accounts and the sum
    pass_days(29)
    assert balance("a0") == 600
    pass_days(1)
    assert balance("a0") == 200


def test_what_cannot_be_paid_is_asked_for_after_every_day_until_it_is() -> None:
    given(
        documents(),
        account("rich", 1_000, product="current"),
        account("poor", 399, product="current"),
        account("stopped", 1_000, product="current"),
        block("stopped", "b", "debits"),
        account("broke", product="current"),
        account("gone", product="current"),
    )
    when(to_june())
    # 3.99 pays 3.00, and 1.00 is left to pay.
    assert [balance(one) for one in ("rich", "poor", "stopped", "broke")] == [600, 99, 1_000, 0]
    unpaid = story().book.end_of_day.unpaid
    assert {one: sum(fee.amount for fee in fees) for one, fees in unpaid.items()} == {
        "poor": 100,
        "stopped": 400,
        "broke": 400,
        "gone": 400,
    }
    when(closed("gone"))
    pass_days()
    assert len(charged()) == 3  # nothing changed, so nothing is said
    when(transfer("nostro", "poor", 1), transfer("nostro", "broke", 10_000))
    pass_days()
    assert [balance(one) for one in ("rich", "poor", "stopped", "broke")] == [600, 0, 1_000, 9_600]
    assert charged()[-1].value_date == on("2024-06-02")
    assert list(story().book.end_of_day.unpaid) == ["stopped"]
    pass_days(28)  # 1 July: two months are owed by now
    assert sum(fee.amount for fee in story().book.end_of_day.unpaid["stopped"]) == 800


def test_a_fee_counts_for_the_interest_of_the_day_that_it_is_for() -> None:
    given(
        BANK,
        documents(interest=[interest("0.0365", capitalised="yearly")]),
        account("alice", 1_000_400, product="current"),
    )
    when(to_june())
    bearing = story().book.accounts["alice"].interest
    assert bearing is not None
    # 16 days of 10,004.00 and 31 May of 10,000.00, at 0.01 % a day: 16 x 100.04 + 100 = 1700.64
    assert bearing.credit == 1_700
    assert bearing.late is None


def test_the_bank_pays_no_monthly_fees_to_itself() -> None:
    """Its own accounts may be of a product, and have no party whose status could be asked."""
    given(
        documents(),
        internal("petty-cash", "nostro", product="current"),
        account("alice", 1_000, product="current"),
    )
    when(to_june())
    assert (balance("petty-cash"), balance("alice"), balance("fees")) == (0, 600, 400)

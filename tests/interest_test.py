"""Interest: what a day is worth, to the exact minor unit; what is carried; when it is booked."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from book.interest import compiled_side as compiled
from commands.accrual import bond_days, day_weight, yearly
from schemas.accounts import LiftBlock
from schemas.books import ClosePeriod
from schemas.documents.interest import Interest
from schemas.fields import INT64_MAX
from schemas.interest import (
    UNITS,
    Accrual,
    Capitalisation,
    CapitaliseInterest,
    Correction,
    InterestAccrued,
    InterestCapitalised,
)
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected, Reason
from tests.interest_twin import A_DAY, of_a_day
from tests.interest_words import BANK, MIDNIGHT_MS, bearing, interest, on, pass_days, product, side
from tests.story import (
    TODAY,
    Said,
    Word,
    account,
    advance,
    balance,
    block,
    closed,
    given,
    happened,
    internal,
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


# --- what a day is worth ----------------------------------------------------------------------------------

UP_TO_1000 = side((0, "0.01"), (100_000, "0.02"), (1_000_000, "0.005"))
WHOLE = side((0, "0.01"), (100_000, "0.02"), (1_000_000, "0.005"), method="whole")
OVERDRAWN = side((0, "0.10"), (50_000, "0.18"), of="debit")
EXAMPLES: list[tuple[str, dict[str, Any], int, str, Fraction]] = [
    # what, terms, balance, day, credit interest of the day in minor units (negative: debit interest)
    ("a common year", interest("0.05"), 730_000, "2023-06-15", Fraction(730_000 * 5, 100 * 365)),
    ("= 100.00", interest("0.05"), 73_000_000, "2023-06-15", Fraction(10_000)),
    ("29 February is a day", interest("0.05"), 73_000_000, "2024-02-29", Fraction(10_000)),
    ("a leap year has 365 too", interest("0.05"), 73_000_000, "2024-06-15", Fraction(10_000)),
    ("a bank year", interest("0.05", day_count="ACT/360"), 72_000, "2024-02-29", Fraction(10)),
    ("a bond day", interest("0.05", day_count="30/360"), 72_000, "2023-06-15", Fraction(10)),
    ("30th of 31 days", interest("0.05", day_count="30/360"), 72_000, "2023-05-30", Fraction(0)),
    ("31st", interest("0.05", day_count="30/360"), 72_000, "2023-05-31", Fraction(10)),
    ("30th of 30 days", interest("0.05", day_count="30/360"), 72_000, "2023-06-30", Fraction(10)),
    ("28 February counts 3", interest("0.05", day_count="30/360"), 72_000, "2023-02-28", Fraction(30)),
    ("not in a leap year", interest("0.05", day_count="30/360"), 72_000, "2024-02-28", Fraction(10)),
    ("29 February counts 2", interest("0.05", day_count="30/360"), 72_000, "2024-02-29", Fraction(20)),
    # 1,000.00 at 1 % = 10.00; 9,000.00 at 2 % = 180.00; 5,000.00 at 0.5 % = 25.00; 215.00 a year
    ("each tier its part", interest(UP_TO_1000), 1_500_000, "2023-06-15", Fraction(21_500, 365)),
    # 15,000.00 at 0.5 % = 75.00
    ("the tier reached", interest(WHOLE), 1_500_000, "2023-06-15", Fraction(7_500, 365)),
    ("just below a tier", interest(WHOLE), 999_999, "2023-06-15", Fraction(999_999 * 2, 100 * 365)),
    ("at a tier", interest(WHOLE), 1_000_000, "2023-06-15", Fraction(5_000, 365)),
    # 500.00 at 10 % = 50.00; 300.00 at 18 % = 54.00; 104.00 a year
    ("overdrawn", interest("0.05", OVERDRAWN), -80_000, "2023-06-15", Fraction(-10_400, 365)),
    ("overdrawn without rate", interest("0.05"), -80_000, "2023-06-15", Fraction(0)),
    ("negative rate", interest("-0.0073"), 1_000_000, "2023-06-15", Fraction(-20)),
    ("nothing", interest("0.05", OVERDRAWN), 0, "2023-06-15", Fraction(0)),
]


@pytest.mark.parametrize(("what", "terms", "amount", "day", "expected"), EXAMPLES)
def test_a_days_interest(what: str, terms: dict[str, Any], amount: int, day: str, expected: Fraction) -> None:
    sides = msgspec.convert(terms, Interest)
    weight = day_weight(sides.day_count, on(day))
    side_ = compiled(sides.credit if amount >= 0 else sides.debit)
    units = yearly(side_, abs(amount)) * weight if side_ is not None else 0
    assert Fraction(units, UNITS) * (1 if amount >= 0 else -1) == expected, what
    twin = of_a_day(terms, amount, on(day))
    assert twin[0] - twin[1] == expected, what


@pytest.mark.parametrize("first", ["2023-01-01", "2023-02-01", "2024-02-01", "2023-04-01", "2023-12-01"])
def test_by_the_bond_basis_every_month_has_30_days(first: str) -> None:
    day, days = on(first), 0
    while day.month == on(first).month:
        days += bond_days(day, day + A_DAY)
        day += A_DAY
    assert days == 30


def test_ten_thousand_days_lose_and_create_nothing() -> None:
    """Each day the rest is carried; the whole is what fractions say, for any rate and balance."""
    for terms in (interest("0.0123456789"), interest("0.000000000001", day_count="ACT/360"), interest("0.7")):
        sides = compiled(msgspec.convert(terms, Interest).credit)
        assert sides is not None
        accrued = rest = 0
        exact = Fraction(0)
        day = on("2000-01-01")
        for number in range(10_000):
            held = 1 + number * 7_919 % 1_000_003
            amount, rest = divmod(rest + yearly(sides, held) * day_weight(terms["day_count"], day), UNITS)
            accrued += amount
            year = 360 if terms["day_count"] == "ACT/360" else 365
            exact += Fraction(held) * Fraction(terms["credit"]["tiers"][0]["rate"]) / year
            day += A_DAY
        assert accrued + Fraction(rest, UNITS) == exact
        assert 0 <= rest < UNITS < 2**63


# --- what an account accrues and receives -----------------------------------------------------------------


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


def test_a_back_value_corrects_the_days_since_and_shows_them() -> None:
    given(BANK, product(interest("0.0365")), account("alice", 1_000_000, product="savings"))
    pass_days(5)  # 20 May; 15 to 19 May are accrued
    assert bearing("alice").credit == 500
    when(transfer("nostro", "alice", 1_000_000, value_date=on("2024-05-17")))
    assert bearing("alice").credit == 500
    pass_days()
    accrued = accruals()[-1]
    # 20 May itself 2.00, and 1.00 more for each of 17, 18 and 19 May
    assert accrued.credits == (Accrual("alice", 500, 1_000, 0),)
    assert accrued.corrections == (Correction("alice", on("2024-05-17"), on("2024-05-19"), 300, 0),)
    pass_days()
    assert accruals()[-1].corrections == ()


def test_days_keep_the_rate_that_they_had() -> None:
    given(BANK, product(interest("0.0365")), account("alice", 1_000_000, product="savings"))
    pass_days(2)  # 15 and 16 May at 3.65 %
    when(product(interest("0.073"), version=2))
    pass_days(1)
    assert bearing("alice").credit == 400
    when(transfer("nostro", "alice", 1_000_000, value_date=on("2024-05-15")))
    pass_days(1)
    # 18 May: 4.00; two days more at 1.00, one at 2.00
    assert bearing("alice").credit == 400 + 400 + 100 + 100 + 200


def test_a_product_that_begins_to_pay_pays_the_accounts_it_has() -> None:
    given(
        BANK,
        say(PublishDocument, kind="product", document="savings", version=1, body={"name": "Savings"}),
        account("alice", 1_000_000, product="savings"),
    )
    pass_days()
    assert story().book.end_of_day.bearing == []
    when(product(interest("0.0365"), version=2))
    pass_days()
    assert bearing("alice").credit == 100
    when(say(PublishDocument, kind="product", document="savings", version=3, body={"name": "Savings"}))
    pass_days(16)  # and the last of it is booked at the month's end
    assert (balance("alice"), bearing("alice").credit) == (1_000_100, 0)


def test_what_an_overdraft_costs_is_charged_as_far_as_there_is_room() -> None:
    given(
        BANK,
        product(interest("0.0365", "0.365")),
        account("alice", product="savings", overdraft=100_000),
        transfer("alice", "nostro", 99_000),
    )
    pass_days(17)
    # 17 days x 990.00 x 36.5 % / 365 = 16.83; 10.00 of the overdraft are left
    assert balance("alice") == -100_000
    assert (bearing("alice").debit, balance("receivable")) == (683, -683)
    when(transfer("nostro", "alice", 100_000))
    pass_days(30)
    assert balance("alice") == -683  # at the end of June, which had a balance of nothing to pay for


def test_a_blocked_account_is_paid_when_the_block_is_lifted() -> None:
    given(
        BANK,
        product(interest("0.0365")),
        account("alice", 1_000_000, product="savings"),
        block("alice", "b", "credits"),
    )
    pass_days(17)
    assert (balance("alice"), bearing("alice").credit) == (1_000_000, 1_700)
    when(capitalise("alice"))
    then(rejected("no_interest_accrued"))
    when(say(LiftBlock, account="alice", block="b", reason="over"), capitalise("alice"))
    then(happened(InterestCapitalised, through=on("2024-05-31"), value_date=on("2024-06-01")))


@pytest.mark.parametrize(
    ("capitalised", "days"),
    [("monthly", [31, 30]), ("quarterly", [30]), ("yearly", []), ("at_maturity", [14])],
)
def test_interest_is_booked_by_its_schedule(capitalised: str, days: list[int]) -> None:
    term: dict[str, Any] = {"term_months": 1} if capitalised == "at_maturity" else {}
    given(
        BANK,
        product(interest("0.0365", capitalised=capitalised, **term)),
        account("alice", 1_000_000, product="savings"),
    )
    pass_days(48)  # to 2 July
    booked = [event for event in story().events() if isinstance(event, InterestCapitalised)]
    assert [event.through.day for event in booked] == days
    if term:  # opened on 15 May, it matures on 15 June: 31 days, and none after that
        assert (balance("alice"), bearing("alice").credit) == (1_003_100, 0)


def banking_days(*holidays: str) -> Said:
    body = {"name": "Banks", "holidays": [{"date": day} for day in holidays]}
    return say(PublishDocument, kind="calendar", document="banks", version=1, body=body)


@pytest.mark.parametrize(
    ("convention", "through"),
    [
        # 31 May is a Friday, and a holiday here; 30 June is a Sunday.
        ("following", ["2024-06-03", "2024-07-01"]),
        ("modified_following", ["2024-05-30", "2024-06-28"]),
        ("preceding", ["2024-05-30", "2024-06-28"]),
    ],
)
def test_a_period_ends_on_a_banking_day(convention: str, through: list[str]) -> None:
    given(
        BANK,
        banking_days("2024-05-31"),
        product(interest("0.0365", calendar="banks", convention=convention)),
        account("alice", 1_000_000, product="savings"),
    )
    pass_days(49)  # to 3 July
    booked = [event for event in story().events() if isinstance(event, InterestCapitalised)]
    assert [event.through.isoformat() for event in booked] == through
    days = on(through[0]) - on("2024-05-14")
    assert booked[0].capitalised == (Capitalisation("alice", days.days * 100, 0, 0, 0),)


def test_a_balance_that_no_account_can_hold_accrues_nothing_and_says_so() -> None:
    given(
        BANK,
        product(interest("0.0365")),
        account("alice", 1_000_000, product="savings"),
        internal("nostro-2"),
        transfer("nostro-2", "payable", INT64_MAX - 50),
    )
    pass_days()
    assert accruals()[-1].unaccrued == ("alice",)
    assert bearing("alice").credit == 0


# --- what is no product -----------------------------------------------------------------------------------

PROBLEMS: list[tuple[dict[str, Any], str]] = [
    (interest(), "interest[0]: it has neither credit nor debit interest"),
    (interest(side((0, 0.05))), 'interest[0].credit.tiers[0].rate: write a rate as text: "0.05"'),  # type: ignore[arg-type]
    (interest(side((5, "0.1"))), "interest[0].credit.tiers[0].from_minor: the first tier begins at 0"),
    (
        interest(side((0, "0.1"), (100, "0.2"), (100, "0.3"))),
        "interest[0].credit.tiers[2].from_minor: tiers ascend without overlapping: it has to be above 100",
    ),
    (interest("12.5"), 'interest[0].credit.tiers[0].rate: 12.5 is above 10: 1.25 % is "0.0125"'),
    (interest("0.1", "-0.1"), "interest[0].debit.tiers[0].rate: interest on an overdraft is not negative"),
    (
        interest("0.1", capitalised="at_maturity"),
        "interest[0].term_months: it stands exactly where interest is capitalised at_maturity",
    ),
    (
        interest("0.1", capitalised="at_maturity", calendar="banks"),
        "interest[0].calendar: a maturity is not moved by a calendar",
    ),
    (interest("0.1", calendar="banks"), "interest[0].calendar: there is no calendar banks in force"),
    (
        interest({**side((0, "0.1")), "booked_on": "nobody"}),
        "interest[0].credit.booked_on: there is no open account nobody",
    ),
    (
        interest({**side((0, "0.1")), "booked_on": "payable"}),
        "interest[0].credit.booked_on: payable is of kind accrued, and has to be of kind expense",
    ),
    (
        interest({**side((0, "0.1")), "accrued_on": "payable-usd"}),
        "interest[0].credit.accrued_on: payable-usd is kept in USD, not in EUR",
    ),
    (
        interest({**side((0, "0.1")), "accrued_on": "payable-2"}),
        "interest[0].credit.accrued_on: it cannot change: earlier versions accrue on payable",
    ),
]


@pytest.mark.parametrize(("terms", "problem"), PROBLEMS)
def test_a_product_whose_interest_is_wrong_is_refused_with_its_path(
    terms: dict[str, Any], problem: str
) -> None:
    given(
        BANK,
        internal("payable-usd", "accrued", currency="USD"),
        internal("payable-2", "accrued"),
        product(interest("0.01")),
    )
    when(product(terms, version=2))
    (refused,) = then(rejected("document_invalid"))
    assert isinstance(refused, CommandRejected)
    assert problem in str(refused.figures["detail"]).split("; ")


def test_a_currency_has_interest_once_and_is_the_products() -> None:
    given(BANK)
    when(product(interest("0.01"), interest("0.02")))
    then(rejected("document_invalid", detail="interest[1].currency: there is interest in EUR already"))
    body = {"name": "Savings", "currencies": ["USD"], "interest": [interest("0.01")]}
    when(say(PublishDocument, kind="product", document="savings", version=1, body=body))
    then(rejected("document_invalid", detail="interest[0].currency: the product is not kept in EUR"))


def accruals() -> list[InterestAccrued]:
    return [event for event in story().events() if isinstance(event, InterestAccrued)]

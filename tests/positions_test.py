"""Positions: what exchanges make of them, and their revaluation at the end of a day."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from book.fx import Position
from commands.positions import moved, round_half_even
from schemas.end_of_day import DayFinished
from schemas.exchange import Exchanged
from schemas.positions import PositionMoved, Revalued, Valued
from schemas.postings import Posting
from tests.currencies_words import (
    BANK,
    REVALUATION,
    exchange,
    pair,
    position,
    rates,
    table,
)
from tests.interest_words import days_go_by
from tests.story import (
    TODAY,
    Word,
    account,
    advance,
    balance,
    forget,
    given,
    happened,
    prove,
    story,
    then,
    when,
)

A_DAY = datetime.timedelta(days=1)


def at(usd: str, jpy: str = "160", version: int = 1, **fields: Any) -> Word:
    """A table without margins."""
    body = table(pair("EUR/USD", usd), pair("EUR/JPY", jpy), revaluation=REVALUATION, **fields)
    return rates(body, version)


ANN: Word = [
    account("ann", 1_000_000),
    account("ann-usd", 1_000_000, currency="USD", party_id="p-ann"),
    account("ann-jpy", currency="JPY", party_id="p-ann"),
]


def revalued() -> list[Revalued]:
    return [one for one in story().events() if isinstance(one, Revalued)]


# --- what exchanges make of a position ------------------------------------------------------------------


def test_a_position_is_what_was_taken_in_and_costs_what_was_given_for_it() -> None:
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 100_00), exchange("ann-usd", "ann", 50_00))
    assert position("position-usd") == Position("USD", amount=150_00, cost=120_00)
    assert (balance("position-usd"), balance("position-eur")) == (150_00, -120_00)


def test_what_is_given_away_takes_its_part_of_the_cost_and_realises_the_rest() -> None:
    """150.00 USD cost 120.00 EUR; 50.00 of them are 40.00 of it. At 1.00 they bring 50.00: 10.00 gained."""
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 150_00), at("1.00", version=2))
    when(exchange("ann", "ann-usd", 50_00))
    then(happened(Exchanged, positions=(PositionMoved("position-usd", 100_00, 80_00, 10_00),)))


def test_a_position_that_is_turned_around_realises_what_it_was_and_begins_anew() -> None:
    """All of 100.00 USD for 80.00 EUR goes, at 1.00, for 100.00: 20.00 gained; 60.00 more are owed."""
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 100_00), at("1.00", version=2))
    when(exchange("ann", "ann-usd", 160_00))
    then(happened(Exchanged, positions=(PositionMoved("position-usd", -60_00, -60_00, 20_00),)))


def test_between_two_foreign_currencies_both_positions_move_by_what_is_sold_at_mid() -> None:
    """100.00 USD / 1.25 = 80.00 EUR. 160 / 1.25 = 128 JPY a dollar."""
    given(BANK, at("1.25"), ANN)
    when(exchange("ann-usd", "ann-jpy", 100_00))
    (event,) = then(
        happened(
            Exchanged,
            rate="128.0000",
            worth=80_00,
            positions=(
                PositionMoved("position-usd", 100_00, 80_00, 0),
                PositionMoved("position-jpy", -12_800, -80_00, 0),
            ),
        )
    )
    assert isinstance(event, Exchanged)
    assert [one.account for one in event.postings] == ["ann-usd", "position-usd", "position-jpy", "ann-jpy"]


MOVES = st.lists(
    st.tuples(st.integers(-(10**12), 10**12).filter(bool), st.fractions("0.01", "1000", max_denominator=997)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=300)
@for_all(moves=MOVES)
def test_nothing_is_lost_between_cost_and_result(moves: list[tuple[int, Fraction]]) -> None:
    """Whatever is paid is cost or realised; nothing held costs nothing; the sign of cost is that of what is
    held, but for less than a unit; the naive twin keeps fractions.
    """
    kept, paid = Position("USD"), 0
    for amount, price in moves:
        worth = round(amount * price)
        after = moved("p", kept, amount, worth)
        paid += worth
        assert after.cost - after.realised == paid
        assert after.amount == kept.amount + amount
        if after.amount == 0:
            assert after.cost == 0
        if (kept.amount < 0) == (amount < 0) or not kept.amount:
            assert after.realised == kept.realised
        elif abs(amount) <= abs(kept.amount):
            left = Fraction(kept.cost * after.amount, kept.amount)
            assert abs(after.cost - left) <= Fraction(1, 2)
        kept = Position("USD", after.amount, after.cost, after.realised)


@for_all(st.integers(), st.integers().filter(bool))
def test_rounding_half_even_is_that_of_fractions(dividend: int, divisor: int) -> None:
    assert round_half_even(dividend, divisor) == round(Fraction(dividend, divisor))


# --- the end of a day -------------------------------------------------------------------------------------


def test_at_the_end_of_a_day_a_position_is_worth_what_the_rates_of_then_say() -> None:
    """100.00 USD cost 80.00 EUR and are worth 100.00 at 1.00: 20.00 gained, booked to income."""
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 100_00), at("1.00", version=2))
    when(days_go_by())
    [event] = revalued()
    assert (event.business_date, event.booking_date, event.value_date) == (TODAY, TODAY + A_DAY, TODAY)
    assert event.documents == ("rates/retail@2",)
    assert event.values == (
        Valued(
            account="position-usd", currency="USD", amount=100_00, cost=80_00, realised=0,
            mid="1.000000000000", value=100_00, result=20_00, change=20_00,
        ),
    )  # fmt: skip
    assert event.postings == (
        Posting("fx-gains", 20_00, "EUR", 20_00),
        Posting("revaluation", -20_00, "EUR", -20_00),
    )
    assert DayFinished in [type(one) for one in story().events()]
    assert not story().book.fx.closing


def test_each_day_books_only_what_changed_on_it() -> None:
    """Worth 80.00 at 1.25, then 100.00, then 62.50 at 1.60: 20.00 gained on the second day, 37.50 lost on
    the third. Nothing is taken back, so each day keeps its own result.
    """
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 100_00))
    when(days_go_by(), at("1.00", version=2))
    when(days_go_by(), at("1.60", version=3))
    when(days_go_by())
    when(days_go_by())
    assert [[one.change for one in event.values] for event in revalued()] == [[0], [20_00], [-37_50], [0]]
    assert (balance("fx-gains"), balance("fx-losses"), balance("revaluation")) == (20_00, -37_50, 17_50)


def test_rates_and_exchanges_after_midnight_are_the_next_days() -> None:
    """The day is revalued after it has closed, and still by its own rates and positions."""
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 100_00))
    midnight_ms = 1_715_817_600_000
    told = story()
    told.now = midnight_ms - 1  # the next command is at midnight, before the first slice
    when(at("1.00", version=2))
    when(exchange("ann-usd", "ann", 100_00))
    assert not revalued()
    when(advance(midnight_ms + 3_600_000))
    [event] = revalued()
    assert (event.documents, event.values[0].amount, event.values[0].change) == (
        ("rates/retail@1",),
        100_00,
        0,
    )


def test_what_was_realised_stays_in_the_result_when_the_position_is_gone() -> None:
    given(BANK, at("1.25"), ANN, exchange("ann-usd", "ann", 100_00), at("1.00", version=2))
    when(exchange("ann", "ann-usd", 100_00), days_go_by())
    [event] = revalued()
    assert [(one.amount, one.value, one.realised, one.change) for one in event.values] == [
        (0, 0, 20_00, 20_00)
    ]
    when(days_go_by())
    assert revalued()[-1].values[0].change == 0
    # What the position account in EUR has more than the one in USD cost is what the bank has gained.
    assert balance("position-eur") == 20_00 == -balance("revaluation")


def test_without_a_table_that_revalues_nothing_is_booked() -> None:
    body = table(pair("EUR/USD", "1.25"))
    given(BANK, rates(body), ANN, exchange("ann-usd", "ann", 100_00))
    when(days_go_by())
    assert not revalued()


# --- whatever is exchanged --------------------------------------------------------------------------------

ACCOUNTS = {"EUR": "ann", "USD": "ann-usd", "JPY": "ann-jpy"}
DEAL = st.tuples(st.permutations(list(ACCOUNTS)), st.integers(1, 50_000), st.booleans())
DAY = st.tuples(st.decimals("0.5", "2", places=4).map(str), st.lists(DEAL, max_size=4))


@settings(max_examples=20, deadline=None)
@for_all(days=st.lists(DAY, min_size=1, max_size=4))
def test_money_is_conserved_and_what_is_booked_is_what_was_gained(days: list[tuple[str, list[Any]]]) -> None:
    """In each currency all accounts sum to zero; positions are the sum of the exchanges; the results that
    were booked are the value of what is held, less its cost, and all that was realised.
    """
    forget()
    given(BANK, at("1.25"), ANN)
    for version, (usd, deals) in enumerate(days, 2):
        when(at(usd, version=version))
        for (sell, buy, _), amount, bought in deals:
            of, bought_of = (None, amount) if bought else (amount, None)
            when(exchange(ACCOUNTS[sell], ACCOUNTS[buy], of, buy_amount=bought_of))
        when(days_go_by())
    told, last = story(), Fraction(days[-1][0])
    exchanged = [one for one in told.events() if isinstance(one, Exchanged)]
    for currency in ACCOUNTS:
        name = f"position-{currency.lower()}"
        own = [one.amount for event in exchanged for one in event.postings if one.account == name]
        assert balance(name) == sum(own)
        if currency != "EUR" and own:
            assert position(name).amount == balance(name)
    positions = told.book.fx.positions
    mids = {"USD": 1 / last * 1, "JPY": Fraction(100, 160)}
    worth = sum(round(one.amount * mids[one.currency]) for one in positions.values())
    gained = worth - sum(one.cost - one.realised for one in positions.values())
    assert balance("fx-gains") + balance("fx-losses") == gained == -balance("revaluation")
    assert balance("position-eur") == -sum(one.cost - one.realised for one in positions.values())
    told.check()
    prove()

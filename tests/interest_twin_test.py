"""Interest against its naive twin, whatever happens between the slices of however many days."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import Any

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from commands import interest as deciding
from schemas.interest import UNITS, InterestCapitalised
from schemas.rejections import CommandRejected
from tests.interest_twin import is_months_end, of_days
from tests.interest_words import BANK, MIDNIGHT_MS, bearing, interest, pass_days, product, side
from tests.story import DAY_MS, TODAY, account, advance, forget, given, later, prove, story, transfer, when

A_DAY = datetime.timedelta(days=1)
TERMS: tuple[dict[str, Any], ...] = (
    interest("0.0123456789", "0.179", day_count="ACT/365"),
    interest(
        side((0, "0.001"), (10_000, "0.02"), (1_000_000, "0.015")),
        side((0, "0.1"), (5_000, "0.2"), of="debit", method="whole"),
        day_count="ACT/360",
    ),
    interest(side((0, "-0.005"), (50_000, "0.03"), method="whole"), "0.07", day_count="30/360"),
)
NAMES = ("a", "b", "c")
STEP = st.one_of(
    st.tuples(
        st.just("move"),
        st.sampled_from(NAMES),
        st.sampled_from((*NAMES, "nostro")),
        st.sampled_from((1, 37, 4_999, 10_001, 123_456, 1_000_000)),
        st.integers(0, 20),
    ),
    # Times at which slices are due, have been done, have not been done, and several days at once.
    st.tuples(st.just("later"), st.sampled_from((1, 26, 60, 3_600_000, DAY_MS, 3 * DAY_MS, 20 * DAY_MS))),
)


@settings(max_examples=150, deadline=None)
@for_all(st.sampled_from(TERMS), st.lists(STEP, max_size=40), st.sampled_from((1, 2, 1_000)))
def test_interest_is_what_all_postings_by_value_date_say(
    terms: dict[str, Any], steps: list[Any], slice_of: int
) -> None:
    had, deciding.SLICE = deciding.SLICE, slice_of
    try:
        _lives(terms, steps)
        prove()  # with slices of that size
    finally:
        deciding.SLICE = had
        forget()


def _lives(terms: dict[str, Any], steps: list[Any]) -> None:
    given(
        BANK,
        product(terms),
        *(account(name, 1_000, product="savings", overdraft=2_000_000) for name in NAMES),
    )
    told = story()
    when(later(ms=MIDNIGHT_MS - 5 - told.now))
    for step in steps:
        match step:
            case ("move", debit, credit, amount, days_back):
                value_date = max(told.book.business_date - days_back * A_DAY, told.book.open_from)
                when(transfer(debit, credit, amount, value_date=value_date))
            case ("later", ms) if ms < 2 * DAY_MS:
                when(later(ms=ms))
            case (_, ms):
                when(later(ms=ms), advance(told.now + ms))
            case _:
                raise AssertionError(step)
    pass_days(2)
    assert told.book.end_of_day.pending == []
    told.check()
    _compare(terms)


def _compare(terms: dict[str, Any]) -> None:
    """What was paid and what is accrued, with what is carried, is all interest since the first day."""
    told = story()
    events = told.events()
    for name in NAMES:
        moves = [
            (event.value_date, posting.amount)  # type: ignore[attr-defined]
            for event in events
            if not isinstance(event, CommandRejected)
            for posting in getattr(event, "postings", ())
            if posting.account == name
        ]
        paid = [
            one
            for event in events
            if isinstance(event, InterestCapitalised)
            for one in event.capitalised
            if one.account == name
        ]
        state = bearing(name)
        through = datetime.date.fromordinal(state.through)
        credit = sum(one.credit for one in paid) + state.credit + Fraction(state.credit_rest, UNITS)
        debit = sum(one.debit for one in paid) + state.debit + Fraction(state.debit_rest, UNITS)
        assert through == told.book.business_date - A_DAY
        assert (credit, debit) == of_days(terms, moves, TODAY, through)
    assert all(is_months_end(e.through) for e in events if isinstance(e, InterestCapitalised))

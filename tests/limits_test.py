"""Limits: how much may move at once and within a window, by whom, and what a refusal says."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.limits import LimitRaised, LimitRaiseExpired
from schemas.rejections import CommandRejected, Reason
from schemas.transfers import TransferPosted
from tests.story import (
    BEGAN_MS,
    DAY_MS,
    Said,
    Word,
    account,
    advance,
    book,
    closed,
    given,
    happened,
    party,
    refund,
    rejected,
    reversal,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import limit, limited, limits, product, raised

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def giro(account_id: str, balance: int = 100_000, **fields: Any) -> Word:
    return account(account_id, balance, product="giro", **fields)


def passed(*amounts: int, debit: str = "alice", credit: str = "bob", **fields: Any) -> list[bool]:
    """Which of these transfers pass."""
    outcomes = when(*(transfer(debit, credit, amount, **fields) for amount in amounts))
    for first, *_ in outcomes:
        assert not isinstance(first, CommandRejected) or first.reason == "limit_exceeded", first
    return [not isinstance(first, CommandRejected) for first, *_ in outcomes]


def at(hour: int, minute: int = 0, *, days: int = 0) -> Said:
    """That time of the story's first day, or so many days later, UTC."""
    midnight = BEGAN_MS - 10 * HOUR_MS
    return advance(midnight + days * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS)


# --- windows ----------------------------------------------------------------------------------------------

WORKED: list[tuple[str, dict[str, Any], Sequence[tuple[tuple[int, int, int], int, bool]]]] = [
    # (day, hour, minute), amount, whether it passes. The story begins on day 0 at 10:00.
    (
        "each transaction up to 100, however many",
        limit("each", 100, "transaction"),
        [((0, 11, 0), 100, True), ((0, 11, 0), 101, False), ((0, 11, 0), 100, True)],
    ),
    (
        "100 an hour of the clock: 60 + 40 = 100 by 11:59, and from 12:00 anew",
        limit("hourly", 100, "hour"),
        [
            ((0, 11, 0), 60, True),
            ((0, 11, 30), 41, False),
            ((0, 11, 59), 40, True),
            ((0, 11, 59), 1, False),
            ((0, 12, 0), 100, True),
        ],
    ),
    (
        "100 a day: 99 + 1 by 23:59, and from midnight anew",
        limit("daily", 100, "day"),
        [
            ((0, 11, 0), 99, True),
            ((0, 23, 59), 2, False),
            ((0, 23, 59), 1, True),
            ((1, 0, 0), 100, True),
            ((1, 0, 0), 1, False),
        ],
    ),
    (
        "100 a month: May has 31 days, so that day 16 after the 15th is the 31st and day 17 is 1 June",
        limit("monthly", 100, "month"),
        [((0, 11, 0), 60, True), ((16, 23, 59), 41, False), ((17, 0, 0), 100, True), ((17, 0, 0), 1, False)],
    ),
    (
        "2 a day, whatever the amount",
        limit("few", 2, "day", measure="count", currency=None),
        [((0, 11, 0), 1, True), ((0, 11, 0), 5_000, True), ((0, 11, 0), 1, False), ((1, 0, 0), 1, True)],
    ),
    (
        # Slices of a day, UTC. At day 3, slices 0..3 count; slice 0 leaves as a whole when day 4 begins.
        "100 in rolling 3 days, 3 slices: the oldest slice counts whole, so day 0 counts to the end of day 3",
        limit("rolling", 100, "rolling", span_ms=3 * DAY_MS, buckets=3),
        [
            ((0, 11, 0), 70, True),
            ((1, 11, 0), 20, True),
            ((2, 11, 0), 11, False),
            ((3, 23, 59), 11, False),
            ((3, 23, 59), 10, True),
            ((4, 0, 0), 71, False),
            ((4, 0, 0), 70, True),
            ((5, 0, 0), 20, True),
            ((5, 0, 0), 1, False),
        ],
    ),
    (
        "100 in rolling 2 hours, in slices of 30 minutes: 11:10 counts until 13:30",
        limit("rolling", 100, "rolling", span_ms=2 * HOUR_MS, buckets=4),
        [((0, 11, 10), 100, True), ((0, 13, 29), 1, False), ((0, 13, 30), 100, True)],
    ),
]


@pytest.mark.parametrize(("line", "story_of"), [one[1:] for one in WORKED], ids=[one[0] for one in WORKED])
def test_windows_worked_by_hand(
    line: dict[str, Any], story_of: Sequence[tuple[tuple[int, int, int], int, bool]]
) -> None:
    given(limited(line), giro("alice"), account("bob"))
    for (day, hour, minute), amount, passes in story_of:
        when(at(hour, minute, days=day))
        assert passed(amount) == [passes], (day, hour, minute, amount)


def test_a_day_is_the_books_own_through_summer_time() -> None:
    # In Berlin 31 March 2024 has 23 hours: it begins at 23:00 UTC and ends at 22:00 UTC.
    begins = int(datetime.datetime(2024, 3, 30, 23, tzinfo=datetime.UTC).timestamp()) * 1000
    given(book(time_zone="Europe/Berlin"), limited(limit("daily", 100)), began=begins - DAY_MS)
    when(giro("alice"), account("bob"), advance(begins - 1))
    assert passed(100, 1) == [True, False]
    when(advance(begins))
    assert passed(100, 1) == [True, False]
    when(advance(begins + 23 * HOUR_MS - 1))
    assert passed(1) == [False]
    then(rejected("limit_exceeded", resets_at_ms=begins + 23 * HOUR_MS))
    when(advance(begins + 23 * HOUR_MS))
    assert passed(100, 1) == [True, False]


# --- what a refusal says ----------------------------------------------------------------------------------


def test_a_refusal_has_the_figures_behind_it() -> None:
    given(limited(limit("daily", 100)), giro("alice"), account("bob"), transfer("alice", "bob", 70))
    when(transfer("alice", "bob", 31))
    then(
        rejected(
            "limit_exceeded",
            limit="retail/daily",
            most=100,
            used=70,
            reserved=0,
            wanted=31,
            left=30,
            resets_at_ms=BEGAN_MS + 14 * HOUR_MS,
        )
    )


def test_a_refusal_does_not_say_what_others_have_used() -> None:
    line = limit("all", 100, "day", by="product")
    given(limited(line), giro("alice"), giro("carol"), account("bob"), transfer("alice", "bob", 70))
    when(transfer("carol", "bob", 31))
    then(rejected("limit_exceeded", limit="retail/all", most=100, wanted=31))
    (event,) = story().last
    assert isinstance(event, CommandRejected)
    assert not {"used", "left", "reserved"} & set(event.figures)
    assert event.restricted == "70 used by product giro"


# --- by whom ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "shared", "apart"),
    [
        ("account", {"debit": "alice"}, {"debit": "alice-2"}),
        ("party", {"debit": "alice-2"}, {"debit": "carol"}),
        ("product", {"debit": "carol"}, {"debit": "other"}),
        ("channel", {"debit": "carol"}, {"debit": "carol", "channel": "branch"}),
        ("corridor", {"debit": "carol"}, {"debit": "carol", "corridor": "DE-FR"}),
        ("counterparty", {"debit": "carol"}, {"debit": "carol", "credit": "dave"}),
    ],
)
def test_movements_are_counted_together(by: str, shared: dict[str, str], apart: dict[str, str]) -> None:
    line = limit("daily", 100, by=by)
    given(
        limited(line),
        product("other", limits=["retail"]),
        giro("alice"),
        giro("alice-2", party_id="p-alice"),
        giro("carol"),
        account("other", 500, product="other"),
        account("bob"),
        account("dave"),
    )
    assert passed(60) == [True]
    assert passed(41, **shared) == [False]
    assert passed(100, 1, **apart) == [True, False]
    assert passed(40, **shared) == [True]


# --- one line of several, filters -------------------------------------------------------------------------


def test_every_limit_that_concerns_a_movement_must_have_room_and_only_those_count_it() -> None:
    given(
        limited(
            limit("daily", 100),
            limit("online", 50, only={"channels": ["online"]}),
            limit("abroad", 20, only={"corridors": ["DE-FR", "DE-US"]}),
            limit("large", 1, "day", measure="count", only={"least": 30}),
        ),
        giro("alice"),
        account("bob"),
    )
    assert passed(29, 1, channel="online") == [True, True]  # online 30
    assert passed(21, channel="online", corridor="DE-FR") == [False]  # abroad 21 > 20
    assert passed(21, channel="online") == [False]  # online 51 > 50
    assert passed(20, corridor="DE-US") == [True]  # abroad 20, daily 50
    assert passed(30, 30) == [True, False]  # daily 80; a second large one
    assert passed(20, 1) == [True, False]  # daily 100


def test_segments_and_times_of_day() -> None:
    line = limit("night", 10, only={"segments": ["young"], "from_time": "22:00", "to_time": "06:00"})
    given(
        limited(line),
        party("p-alice", segment="young"),
        giro("alice", party_id="p-alice"),
        giro("carol"),
        account("bob"),
    )
    assert passed(11) == [True]
    when(at(21, 59))
    assert passed(11) == [True]
    when(at(22, 0))
    assert passed(11, 10, 1) == [False, True, False]
    assert passed(11, debit="carol") == [True]
    when(at(5, 59, days=1))
    assert passed(11, 10) == [False, True]
    when(at(6, 0, days=1))
    assert passed(11) == [True]


def test_a_limit_in_one_currency_does_not_hold_for_another() -> None:
    given(limited(limit("daily", 100)), account("alice", 500, currency="USD", product="giro"))
    when(transfer("alice", "nostro-usd", 400, currency="USD"))
    then(happened(TransferPosted, uses=()))


# --- taken back -------------------------------------------------------------------------------------------


def test_what_is_taken_back_makes_room_while_its_time_counts() -> None:
    given(limited(limit("daily", 100), limit("few", 2, measure="count")), giro("alice"), account("bob", 500))
    when(transfer("alice", "bob", 100, reference="one"), reversal("one"))
    assert passed(60, 40, 1) == [True, True, False]
    told = story()
    first = told.events()[-3].seq
    when(refund(first, 25))  # room for 25, and the count stays
    assert passed(25) == [False]
    then(rejected("limit_exceeded", limit="retail/few"))
    when(refund(first, 35))  # all of it: the count goes too
    assert passed(61, 60, 1) == [False, True, False]


def test_what_is_taken_back_the_day_after_makes_no_room_then() -> None:
    given(limited(limit("daily", 100)), giro("alice"), account("bob", 500))
    when(transfer("alice", "bob", 100, reference="one"), at(1, days=1))
    assert passed(50) == [True]
    when(reversal("one"))
    assert passed(51, 50) == [False, True]


# --- documents --------------------------------------------------------------------------------------------


def test_a_new_version_counts_on_where_a_line_counts_the_same() -> None:
    given(limited(limit("daily", 100)), giro("alice"), account("bob"), transfer("alice", "bob", 80))
    when(limits("retail", limit("daily", 90), limit("few", 1, measure="count"), version=2))
    assert passed(11, 10) == [False, True]
    when(limits("retail", limit("daily", 10, "month"), version=3))
    assert passed(10, 1) == [True, False]
    assert set(the_account("alice").usage or {}) == {"retail/daily@3", "retail/few@2"}


def test_a_product_takes_other_limits_from_its_time_on() -> None:
    given(limited(limit("daily", 100)), giro("alice"), account("bob"))
    when(limits("tight", limit("each", 5, "transaction")))
    when(product("giro", version=2, at=BEGAN_MS + DAY_MS, limits=["tight"]))
    assert passed(6) == [True]
    when(advance(BEGAN_MS + DAY_MS))
    assert passed(6, 5) == [False, True]


def test_nobody_is_remembered_whose_movements_count_no_longer() -> None:
    given(
        limited(limit("daily", 100, by="counterparty")), giro("alice"), [account(f"b{n}") for n in range(9)]
    )
    for day in range(3):
        when(at(11, days=day), [transfer("alice", f"b{n}", 5) for n in range(9)])
        (tally,) = story().book.usage.values()
        assert [len(one.counts) for one in tally.slices] == [9]


# --- raises -----------------------------------------------------------------------------------------------


def test_a_raise_holds_for_one_account_until_its_time() -> None:
    until = BEGAN_MS + HOUR_MS
    given(limited(limit("daily", 100)), giro("alice"), giro("carol"), account("bob"))
    when(raised("daily", 150, until, account="alice"))
    then(happened(LimitRaised, limit="retail/daily", by="account", holder="alice", most=150, without=100))
    assert passed(120, 31) == [True, False]
    then(rejected("limit_exceeded", most=150, used=120, left=30))
    assert passed(101, debit="carol") == [False]
    when(advance(until))
    assert LimitRaiseExpired in [type(one) for one in story().events()]
    assert the_account("alice").raises is None
    assert passed(1) == [False]
    then(rejected("limit_exceeded", most=100, used=120, left=0))


def test_a_raise_is_for_a_party_where_the_line_counts_by_party() -> None:
    given(
        limited(limit("daily", 100, by="party"), limit("each", 90, "transaction")),
        giro("alice"),
        giro("alice-2", party_id="p-alice"),
        account("bob"),
        raised("daily", 150, BEGAN_MS + DAY_MS, party="p-alice"),
        raised("each", 95, BEGAN_MS + DAY_MS, account="alice-2"),
    )
    assert passed(90) == [True]
    assert passed(91) == [False]
    assert passed(61, debit="alice-2") == [False]
    assert passed(60, debit="alice-2") == [True]


def test_a_later_raise_takes_the_place_of_the_one_before() -> None:
    given(limited(limit("daily", 100)), giro("alice"), account("bob"))
    when(raised("daily", 150, BEGAN_MS + HOUR_MS, account="alice"))
    when(raised("daily", 120, BEGAN_MS + 2 * HOUR_MS, account="alice"))
    assert passed(121) == [False]
    when(advance(BEGAN_MS + HOUR_MS))
    assert passed(121, 120) == [False, True]


GIVEN: list[Word] = [
    limited(limit("daily", 100), limit("theirs", 100, by="party"), limit("all", 9, by="product")),
    giro("alice"),
    account("gone", product="giro"),
    closed("gone"),
    account("other"),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("account_not_found", raised("nothing", 1, 1, account="nobody")),
    ("account_not_open", raised("nothing", 1, 1, account="gone")),
    ("party_not_found", raised("nothing", 1, 1, party="nobody")),
    ("limit_not_found", raised("nothing", 1, 1, account="alice")),
    ("limit_not_found", raised("daily", 1, 1, party="p-alice")),
    ("limit_not_found", raised("theirs", 1, 1, account="alice")),
    ("limit_not_found", raised("all", 1, 1, account="alice")),
    ("limit_not_found", raised("daily", 1, 1, account="other")),
    ("expiry_in_past", raised("daily", 100, 1, account="alice")),
    ("nothing_to_change", raised("daily", 100, BEGAN_MS + DAY_MS, account="alice")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    when(said)
    then(rejected(reason))

"""Holds: funds reserved until they are captured, released or expire; captures never exceed the hold."""

from __future__ import annotations

import pytest

from commands.holds import open_hold
from schemas.fields import INT64_MAX
from schemas.holds import HoldCaptured, HoldPlaced, HoldRaised, HoldReleased
from schemas.rejections import Reason
from schemas.reserves import Reserve
from schemas.transfers import TransferPosted
from tests.payment_words import capture, hold, raised, release
from tests.story import (
    BEGAN_MS,
    DAY_MS,
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
    party,
    party_becomes,
    rejected,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import charged, fee, limit, limits, product

WEEK_MS = 7 * DAY_MS


def available(account_id: str) -> int:
    one = the_account(account_id)
    return one.booked - one.held + one.overdraft


def test_a_hold_counts_against_what_can_be_spent() -> None:
    given(account("alice", balance=100), account("bob"))
    when(hold("alice", 80))
    then(
        happened(
            HoldPlaced,
            hold="h",
            amount=80,
            expires_at_ms=story().now + WEEK_MS,
            reserves=(Reserve("alice", 80, 80),),
        )
    )
    when(transfer("alice", "bob", 30))
    then(rejected("insufficient_funds", available=20, needed=30))
    when(transfer("alice", "bob", 20))
    then(happened(TransferPosted))


def test_a_hold_is_captured_in_parts_and_the_rest_released() -> None:
    given(account("alice", balance=100), account("shop"), hold("alice", 80))
    when(capture(30))
    then(happened(HoldCaptured, captured_after=30, left=50, reserves=(Reserve("alice", -30, 50),)))
    assert (balance("alice"), the_account("alice").held, balance("shop")) == (70, 50, 30)
    when(capture(51))
    then(rejected("capture_exceeds_hold", left=50, wanted=51))
    when(capture(20, final=True))
    then(happened(HoldCaptured, captured_after=50, left=0, reserves=(Reserve("alice", -50, 0),)))
    assert (balance("alice"), the_account("alice").held, balance("shop")) == (50, 0, 50)
    when(capture(1))
    then(rejected("hold_not_found"))


def test_a_hold_that_is_captured_whole_has_ended() -> None:
    given(account("alice", balance=100), account("shop"), hold("alice", 80), capture(30), capture(50))
    assert story().book.holds == {}
    assert (available("alice"), balance("shop")) == (20, 80)
    when(later(days=8), transfer("nostro", "alice", 1))
    assert not [one for one in story().events() if isinstance(one, HoldReleased)]


def test_a_hold_is_raised_within_what_is_available() -> None:
    given(account("alice", balance=100), account("shop"), hold("alice", 80))
    when(raised(21))
    then(rejected("insufficient_funds", available=20, needed=21))
    when(raised(20, expires_after_s=60))
    then(happened(HoldRaised, amount_after=100, expires_at_ms=story().now + 60_000))
    when(capture(100))
    then(happened(HoldCaptured, left=0))


def test_what_is_released_can_be_spent() -> None:
    given(account("alice", balance=100), account("shop"), hold("alice", 80), capture(10))
    when(release())
    then(happened(HoldReleased, amount=70, captured=10, expired=False, reserves=(Reserve("alice", -70, 0),)))
    assert available("alice") == 90


def test_a_hold_expires_to_the_millisecond() -> None:
    given(account("alice", balance=100), account("shop"), hold("alice", 80, expires_after_s=10))
    expires_ms = story().book.holds["h"].expires_at_ms
    story().now = expires_ms - 2
    when(capture(1))
    then(happened(HoldCaptured))
    when(capture(1))
    then(rejected("hold_not_found"))
    assert available("alice") == 99
    (released,) = [one for one in story().events() if isinstance(one, HoldReleased)]
    assert (released.at, released.amount, released.expired) == (expires_ms, 79, True)


def test_a_hold_that_has_expired_is_no_hold_even_before_its_timer_fires() -> None:
    given(account("alice", balance=100), hold("alice", 80))
    expires_ms = story().book.holds["h"].expires_at_ms
    assert open_hold(story().book, "h", expires_ms - 1) is not None
    assert open_hold(story().book, "h", expires_ms) is None


def test_raising_a_hold_moves_its_end() -> None:
    given(account("alice", balance=100), hold("alice", 10, expires_after_s=10))
    when(raised(10, expires_after_s=100), later(ms=50_000), raised(1))
    then(happened(HoldRaised, amount_after=21))
    when(later(ms=60_000), raised(1))
    then(rejected("hold_not_found"))


def test_an_overdraft_can_be_held() -> None:
    given(account("alice", balance=10, overdraft=50), account("shop"))
    when(hold("alice", 60), capture(60))
    then(happened(HoldCaptured))
    assert balance("alice") == -50


def test_the_banks_own_accounts_can_be_held_without_a_floor() -> None:
    given(account("shop"), internal("costs", "expense"), hold("costs", 60))
    when(capture(60))
    then(happened(HoldCaptured))
    assert (balance("costs"), the_account("costs").held) == (-60, 0)


# --- fees and limits --------------------------------------------------------------------------------------


def test_the_fee_is_quoted_with_the_hold_and_charged_in_proportion_to_what_is_captured() -> None:
    """1 % of 100.00 is 1.00. Of 33.33 captured, 100 * 3333 // 10000 = 33 cents; of 66.66 in all, 66, so 33
    more; of 100.00 in all, 100, so the last 34.
    """
    given(charged(fee("card", rate="0.01")), account("shop"))
    when(account("alice", 101_00, product="giro"))
    when(hold("alice", 100_00))
    then(happened(HoldPlaced))
    assert the_account("alice").held == 101_00
    for amount, charge in ((33_33, 33), (33_33, 33), (33_34, 34)):
        when(capture(amount))
        then(happened(HoldCaptured))
        (event,) = story().last
        assert isinstance(event, HoldCaptured)
        assert [one.amount for one in event.fees] == [charge]
    assert (balance("alice"), the_account("alice").held, balance("fees")) == (0, 0, 1_00)


def test_a_final_capture_releases_the_rest_and_the_fee_for_it() -> None:
    given(charged(fee("card", rate="0.01")), account("shop"))
    when(account("alice", 101_00, product="giro"), hold("alice", 100_00), capture(40_00, final=True))
    then(happened(HoldCaptured, left=0))
    assert (balance("alice"), the_account("alice").held, balance("fees")) == (60_60, 0, 40)


def test_a_hold_uses_up_a_limit_and_gives_back_what_is_not_captured() -> None:
    given(limits("tight", limit("daily", 100)), product("giro", limits=["tight"]), account("shop"))
    when(account("alice", 1_000, product="giro"), hold("alice", 80))
    then(happened(HoldPlaced))
    when(hold("alice", 21, "h2"))
    then(rejected("limit_exceeded"))
    when(raised(21))
    then(rejected("limit_exceeded"))
    when(capture(30, final=True), hold("alice", 71, "h2"))
    then(rejected("limit_exceeded"))
    when(hold("alice", 70, "h2"))
    then(happened(HoldPlaced))
    when(release("h2"), hold("alice", 70, "h3"))
    then(happened(HoldPlaced))
    (usage,) = (the_account("alice").usage or {}).values()
    assert (usage.total, usage.reserved) == (100, 70)


def test_a_hold_that_was_raised_gives_back_all_that_it_used() -> None:
    given(limits("tight", limit("daily", 100)), product("giro", limits=["tight"]), account("shop"))
    when(account("alice", 1_000, product="giro"), hold("alice", 30), raised(30), raised(30), release())
    (usage,) = (the_account("alice").usage or {}).values()
    assert (usage.total, usage.reserved) == (0, 0)


# --- rejections -------------------------------------------------------------------------------------------

TOO_MUCH = 10**6
USD = "USD"
GIVEN: list[Word] = [
    # A name says what is wrong with the account; each but the last has the faults of those after it, too.
    party("p-bad"),
    account("closed-usd", currency=USD, party_id="p-bad"),
    closed("closed-usd"),
    account("usd", currency=USD, party_id="p-bad"),
    block("usd", "b"),
    limits("tight", limit("each", 50, "transaction")),
    product("tied", pays=[], receives=[]),
    product("tight", limits=["tight"]),
    account("bad", 10, party_id="p-bad"),
    hold("bad", 5, "of-bad"),
    block("bad", "b", "debits"),
    party_becomes("p-bad", "blocked"),
    account("blocked", 10),
    hold("blocked", 5, "of-blocked"),
    block("blocked", "b", "debits"),
    account("no-credits"),
    block("no-credits", "b", "credits"),
    account("may-not", product="tied"),
    account("tight", 100, product="tight"),
    hold("tight", 5, "of-tight"),
    account("empty", 5),
    hold("empty", 5, "of-empty"),
    account("full"),
    internal("lowest"),
    internal("other"),
    hold("lowest", 1, "of-lowest"),
    transfer("lowest", "full", INT64_MAX),
]
REJECTIONS: list[tuple[Reason, Said]] = [
    ("hold_exists", hold("nobody", TOO_MUCH, "of-bad")),
    ("account_not_found", hold("nobody", TOO_MUCH)),
    ("account_not_open", hold("closed-usd", TOO_MUCH)),
    ("currency_mismatch", hold("usd", TOO_MUCH)),
    ("party_not_active", hold("bad", TOO_MUCH)),
    ("account_blocked", hold("blocked", TOO_MUCH)),
    ("movement_not_allowed", hold("may-not", TOO_MUCH)),
    ("limit_exceeded", hold("tight", TOO_MUCH)),
    ("insufficient_funds", hold("empty", TOO_MUCH)),
    ("overflow", hold("lowest", INT64_MAX)),
    ("hold_not_found", raised(TOO_MUCH, "none")),
    ("party_not_active", raised(TOO_MUCH, "of-bad")),
    ("account_blocked", raised(TOO_MUCH, "of-blocked")),
    ("limit_exceeded", raised(TOO_MUCH, "of-tight")),
    ("insufficient_funds", raised(TOO_MUCH, "of-empty")),
    ("overflow", raised(INT64_MAX, "of-lowest")),
    ("hold_not_found", capture(TOO_MUCH, "nobody", "none")),
    ("capture_exceeds_hold", capture(TOO_MUCH, "bad", "of-bad")),
    ("same_account", capture(1, "bad", "of-bad")),
    ("account_not_found", capture(1, "nobody", "of-bad")),
    ("account_not_open", capture(1, "closed-usd", "of-bad")),
    ("currency_mismatch", capture(1, "usd", "of-bad")),
    ("party_not_active", capture(1, "no-credits", "of-bad")),
    ("account_blocked", capture(1, "full", "of-blocked")),
    ("account_blocked", capture(1, "no-credits", "of-empty")),
    ("movement_not_allowed", capture(1, "may-not", "of-empty")),
    ("overflow", capture(1, "full", "of-empty")),
    ("hold_not_found", release("none")),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(*GIVEN)
    before = {name: (one.booked, one.held) for name, one in story().book.accounts.items()}
    when(said)
    then(rejected(reason))
    assert {name: (one.booked, one.held) for name, one in story().book.accounts.items()} == before


def test_an_idle_book_forgets_no_hold() -> None:
    given(account("alice", balance=100), hold("alice", 80, expires_after_s=10))
    when(advance(BEGAN_MS + DAY_MS))
    assert (story().book.holds, the_account("alice").held) == ({}, 0)

"""Stop switches: what falls under one waits, reserved, and goes in order when it is lifted."""

from __future__ import annotations

import pytest

from commands.payments import RELEASED_AT_ONCE, RELEASED_EVERY_MS
from schemas.payments import PaymentDispatched, PaymentsReleased, PaymentSubmitted, PaymentWaiting
from schemas.rejections import Reason
from schemas.stops import PaymentsResumed, PaymentsStopped, StopScope
from tests.payment_words import cancel, pay, rail_of, rails, resume, stop, the_payment
from tests.story import (
    Said,
    Word,
    account,
    balance,
    given,
    happened,
    later,
    party,
    rejected,
    story,
    the_account,
    then,
    transfer,
    when,
)
from tests.terms_words import product

REJECTIONS: list[tuple[Reason, Said]] = [
    ("stop_exists", stop("night", "rail", "")),
    ("stop_unclear", stop("s", "rail", "")),
    ("stop_unclear", stop("s", "book", "x")),
    ("rail_not_found", stop("s", "rail", "swift")),
    ("stop_not_found", resume("s")),
]
ALICE: list[Word] = [
    product("giro"),
    product("savings"),
    party("pa", segment="retail"),
    account("alice", 100, party_id="pa", product="giro"),
    rails(),
]


@pytest.mark.parametrize(("reason", "said"), REJECTIONS)
def test_it_is_rejected_for_the_first_of_its_faults(reason: Reason, said: Said) -> None:
    given(rails(), stop("night"))
    when(said)
    then(rejected(reason))


@pytest.mark.parametrize(
    ("scope", "value"), [("book", ""), ("rail", "sepa"), ("product", "giro"), ("segment", "retail")]
)
def test_what_falls_under_a_stop_waits_and_goes_when_it_is_lifted(scope: StopScope, value: str) -> None:
    given(ALICE)
    when(stop("night", scope, value))
    then(happened(PaymentsStopped, stop="night", scope=scope, value=value))
    when(pay("p1", 60))
    then(happened(PaymentSubmitted), happened(PaymentWaiting, reason="stopped", by="night", due_ms=None))
    assert (balance("alice"), the_account("alice").held) == (100, 60)
    when(resume("night"))
    then(happened(PaymentsResumed, stop="night", waiting=1))
    when(transfer("nostro", "alice", 1))
    assert (balance("alice"), the_account("alice").held) == (41, 0)
    assert the_payment("p1").status == "dispatched"


@pytest.mark.parametrize(("scope", "value"), [("product", "savings"), ("segment", "private")])
def test_what_does_not_fall_under_a_stop_goes(scope: StopScope, value: str) -> None:
    given(ALICE, stop("other", scope, value))
    when(pay("p1", 60))
    then(happened(PaymentSubmitted), happened(PaymentDispatched))


def test_of_two_stops_the_second_still_holds() -> None:
    given(ALICE, stop("one"), stop("two", "rail", "sepa"), pay("p1", 60), resume("one"))
    when(transfer("nostro", "alice", 1))
    assert the_payment("p1").waits_for == "stopped\ntwo"
    when(resume("two"), transfer("nostro", "alice", 1))
    assert the_payment("p1").status == "dispatched"


def test_what_waited_goes_in_order_and_in_bounded_slices() -> None:
    count = 2 * RELEASED_AT_ONCE + 2
    given(account("alice", balance=10_000), rails(), stop("night"))
    when(*(pay(f"p{n}", 1) for n in range(count)), cancel("p0"), resume("night"))
    before = story().book.seq
    for _ in range(3):
        when(later(ms=RELEASED_EVERY_MS), transfer("nostro", "alice", 1))
    events = [event for event in story().events() if event.book == "main" and event.seq > before]
    sent = [event.payment for event in events if isinstance(event, PaymentDispatched)]
    assert sent == [f"p{n}" for n in range(1, count)]
    slices = [(one.looked_at, one.left) for one in events if isinstance(one, PaymentsReleased)]
    assert slices == [(RELEASED_AT_ONCE, RELEASED_AT_ONCE + 1), (RELEASED_AT_ONCE, 1), (1, 0)]
    assert the_account("alice").held == 0
    assert not [timer for timer in story().book.timers.due if timer.startswith("payments_released")]


def test_a_stop_of_the_same_name_that_is_another_holds_only_what_falls_under_it() -> None:
    first = [pay(f"p{n}", 1) for n in range(RELEASED_AT_ONCE)]
    last = [pay("a", 1), pay("b", 1, rail="other"), pay("c", 1)]
    given(account("alice", balance=1_000), rails(), rail_of("other"), stop("s"), *first, *last)
    when(resume("s"), stop("s", "rail", "sepa"))
    assert the_account("alice").held == 3
    when(later(ms=RELEASED_EVERY_MS), transfer("nostro", "alice", 1))
    assert [the_payment(one).status for one in "abc"] == ["waiting", "dispatched", "waiting"]
    assert story().book.payments.releasing == {}
    when(resume("s"), transfer("nostro", "alice", 1))
    assert [the_payment(one).status for one in "abc"] == ["dispatched"] * 3


def test_a_stop_of_the_same_name_in_the_middle_of_a_release_holds_the_rest() -> None:
    count = RELEASED_AT_ONCE + 5
    given(account("alice", balance=1_000), rails(), stop("night"), *(pay(f"p{n}", 1) for n in range(count)))
    when(resume("night"), stop("night"), later(ms=RELEASED_EVERY_MS), transfer("nostro", "alice", 1))
    assert the_account("alice").held == 5
    assert not [timer for timer in story().book.timers.due if timer.startswith("payments_released")]
    when(resume("night"), transfer("nostro", "alice", 1))
    assert the_account("alice").held == 0

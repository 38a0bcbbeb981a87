"""verify names the event of a hold or payment that says something that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from replay.verify import verify
from schemas.holds import HoldCaptured, HoldPlaced
from schemas.message import Event
from schemas.payments import PaymentDispatched
from schemas.rail_reports import PaymentFailed, PaymentReturned, PaymentSettled
from schemas.repairs import PaymentCharged
from schemas.reserves import Reserve
from tests.histories import Recorded
from tests.payment_words import capture, hold, pay, rails, repair, repairers, report
from tests.story import account, given, internal, story


def lives() -> Recorded:
    """A hold that is captured in part, and payments that settle and return, fail, and are charged for."""
    given(
        account("alice", 1_000),
        account("shop"),
        internal("other"),
        rails(),
        repairers(),
        hold("alice", 80),
        capture(30),
        pay("p1", 60),
        report("p1", "settled"),
        report("p1", "returned", 20, "r1"),
        pay("p2", 50),
        report("p2", "failed"),
        pay("p3", 40),
        report("p3", "failed"),
        report("p3", "settled"),
        repair("p3", "charge"),
        repair("p3", "charge", "rolf"),
    )
    return Recorded(story().log.reader())


def legs(event: Any, **to: str) -> Any:
    """Postings on other accounts, whose balances then do not fit either."""
    return tuple(
        msgspec.structs.replace(one, account=to.get(one.account.replace("-", "_"), one.account))
        for one in event.postings
    )


Change = Callable[[Any], dict[str, Any]]
WRONG: list[tuple[type[Event], Change, str]] = [
    (HoldPlaced, lambda one: {"reserves": (Reserve("alice", 80, 81),)}, "80 more, and the event says 81"),
    (HoldPlaced, lambda one: {"reserves": ()}, "alice had 0 held, -30 more, and the event says 50"),
    (HoldPlaced, lambda one: {"reserves": (Reserve("nobody", 80, 80),)}, "there is no account nobody"),
    (
        HoldPlaced,
        lambda one: {"amount": 2_000, "reserves": (Reserve("alice", 2_000, 2_000),)},
        "1000 more is reserved of alice than there is",
    ),
    (HoldCaptured, lambda one: {"hold": "h9"}, "it captures the hold h9, which is not open"),
    (HoldCaptured, lambda one: {"amount": 31}, "its postings are not what it says"),
    (HoldCaptured, lambda one: {"captured_after": 31}, "it captures 30 of h, of which 80 was left"),
    (HoldCaptured, lambda one: {"left": 51}, "it leaves 51 of h, which had 80 left"),
    (PaymentDispatched, lambda one: {"payment": "p9"}, "there is no payment p9"),
    (PaymentDispatched, lambda one: {"in_transit": "nostro"}, "its postings are not what it says"),
    (PaymentDispatched, lambda one: {"amount": 59}, "it sends another payment than p1 was submitted as"),
    (
        PaymentSettled,
        lambda one: {"postings": legs(one, nostro="other")},
        "its postings are not what it says",
    ),
    (PaymentSettled, lambda one: {"late": True}, "its postings are not what it says"),
    (PaymentReturned, lambda one: {"amount": 61}, "61 of p1 comes back, of which 60 was out"),
    (PaymentReturned, lambda one: {"returned_after": 21}, "20 of p1 comes back, of which 60 was out"),
    (
        PaymentReturned,
        lambda one: {"credited": "shop", "postings": legs(one, alice="shop")},
        "shop is given what p1 owes to alice",
    ),
    (PaymentFailed, lambda one: {"payment": "p1"}, "it fails p1, which is settled"),
    (PaymentFailed, lambda one: {"charged": 1}, "it gives back other fees than those of p2"),
    (
        PaymentFailed,
        lambda one: {"credited": "shop", "postings": legs(one, alice="shop")},
        "shop is given what p2 owes to alice",
    ),
    (PaymentCharged, lambda one: {"payment": "p1"}, "it charges for p1, which is settled"),
    (PaymentCharged, lambda one: {"postings": legs(one, alice="shop")}, "its postings are not what it says"),
]


@pytest.mark.parametrize(("kind", "change", "what"), WRONG)
def test_what_cannot_be_is_named(kind: type[Event], change: Change, what: str) -> None:
    log = lives()
    assert verify(log).ok
    index = log.find(lambda event: type(event) is kind)
    log.change(index, **change(log.event(index)))
    log.relink()
    result = verify(log)
    assert not result.ok
    assert any(what in one.what for one in result.problems), [one.what for one in result.problems]

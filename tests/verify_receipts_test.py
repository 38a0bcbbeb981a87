"""verify names the event of a payment in that says something that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from replay.verify import verify
from schemas.message import Event
from schemas.payments_in import (
    ReceiptCredited,
    ReceiptParked,
    ReceiptRefunded,
    ReceiptReturned,
    SuspenseResolved,
)
from tests.histories import Recorded
from tests.payments_in_test import received, refunded, resolved, sent_back, suspense
from tests.story import account, given, internal, story


def receipts() -> Recorded:
    """One is credited and refunded in part; of three that wait one is resolved, one returned, one stays."""
    given(
        account("alice", 500),
        account("bob", 500),
        internal("waiting", "suspense"),
        internal("other", "suspense"),
        internal("nostro-2", "nostro"),
        suspense(),
        received("r1", "alice"),
        refunded("r1", 30),
        received("r2", "nobody"),
        received("r3", "nobody"),
        received("r4", "nobody"),
        resolved("r2", "alice"),
        sent_back("r3"),
    )
    return Recorded(story().log.reader())


def legs(event: Any, **to: str) -> Any:
    """Postings on other accounts, whose balances then do not fit either."""
    return tuple(
        msgspec.structs.replace(one, account=to.get(one.account, one.account)) for one in event.postings
    )


Change = Callable[[Any], dict[str, Any]]
POSTINGS = "its postings are not what it says"
WRONG: list[tuple[type[Event], Change, str]] = [
    (ReceiptCredited, lambda one: {"amount": 99}, POSTINGS),
    (ReceiptCredited, lambda one: {"account": "bob"}, POSTINGS),
    (ReceiptParked, lambda one: {"receipt": "r1"}, "r1 was received before"),
    (ReceiptParked, lambda one: {"amount": -1}, "-1 was received"),
    (ReceiptParked, lambda one: {"suspense": "other"}, POSTINGS),
    (
        ReceiptParked,
        lambda one: {"suspense": "other", "postings": legs(one, waiting="other")},
        "100 of r2 leaves waiting, and 100 waits in other",
    ),
    (SuspenseResolved, lambda one: {"receipt": "r9"}, "r9 does not wait in suspense"),
    (SuspenseResolved, lambda one: {"amount": 99}, "99 of r2 leaves waiting, and 100 waits in waiting"),
    (SuspenseResolved, lambda one: {"postings": legs(one, alice="bob")}, POSTINGS),
    (ReceiptReturned, lambda one: {"receipt": "r2"}, "r2 does not wait in suspense"),
    (
        ReceiptReturned,
        lambda one: {"nostro": "nostro-2", "postings": legs(one, nostro="nostro-2")},
        "r3 goes back from nostro-2, and had come to nostro",
    ),
    (ReceiptRefunded, lambda one: {"receipt": "r2"}, "it refunds r2, which was not credited"),
    (ReceiptRefunded, lambda one: {"amount": 101}, "it refunds 101 of r1, of which 100 was left"),
    (ReceiptRefunded, lambda one: {"refunded_after": 31}, "it refunds 30 of r1, of which 100 was left"),
    (
        ReceiptRefunded,
        lambda one: {"account": "bob", "postings": legs(one, alice="bob")},
        "it refunds r1 from bob, and alice was credited",
    ),
]


@pytest.mark.parametrize(("kind", "change", "what"), WRONG)
def test_what_cannot_be_is_named(kind: type[Event], change: Change, what: str) -> None:
    log = receipts()
    assert verify(log).ok
    index = log.find(lambda event: type(event) is kind)
    log.change(index, **change(log.event(index)))
    log.relink()
    result = verify(log)
    assert not result.ok
    assert any(what in one.what for one in result.problems), [one.what for one in result.problems]


def test_an_item_that_the_state_has_lost_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in evolve: what still waits is in the events, and the state has forgotten it."""
    log = receipts()
    assert list(story().book.receipts.parked) == ["r4"]
    from book import evolve, payments_in

    def forgets(book: Any, event: Any) -> None:
        payments_in.parked(book, event)
        if event.receipt == "r4":
            del book.receipts.parked["r4"]

    monkeypatch.setitem(evolve.EVOLVE, ReceiptParked, forgets)
    assert [one.what for one in verify(log).problems] == ["r4 waits in suspense and not in the state"]

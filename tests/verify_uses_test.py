"""verify counts what limits, packages and policies count, and names the event that says something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from replay.verify import verify
from schemas.approvals import AmountCounted, ApprovalRequested
from schemas.holds import HoldCaptured, HoldPlaced, HoldReleased
from schemas.message import Event
from schemas.reserves import Use
from schemas.transfers import TransferPosted, TransferRefunded
from tests.approvals_words import line, policy, staff
from tests.histories import Recorded
from tests.payment_words import capture, hold, release
from tests.story import account, given, later, refund, story, transfer, when
from tests.terms_words import limit, limits, product

ROLLING = limit("rolling", 10_000, "rolling", span_ms=3 * 86_400_000, buckets=3)


def counted() -> Recorded:
    """Transfers, a refund, a hold that is captured in part, another that is released, and an approval."""
    given(
        staff(),
        limits("retail", limit("daily", 5_000), ROLLING, limit("shops", 5_000, by="counterparty")),
        product("giro", limits=["retail"]),
        account("alice", 9_000, product="giro"),
        account("shop"),
    )
    when(transfer("alice", "shop", 100, reference="t"), later(days=1), transfer("alice", "shop", 200))
    when(refund("t", 40), hold("alice", 70), capture(30, final=True), hold("alice", 8, "h2"), release("h2"))
    together = {"together": {"window_s": 86_400, "amounts": {"EUR": 500}}}
    when(policy(line("Transfer", when=together)))
    when(transfer("alice", "shop", 300).by("mia"), transfer("alice", "shop", 250).by("mia"))
    return Recorded(story().log.reader())


def first_use(**changes: int) -> Callable[[Any], dict[str, Any]]:
    """The event with other figures in its first use."""

    def change(event: Any) -> dict[str, Any]:
        one: Use = event.uses[0]
        more = {name: getattr(one, name) + by for name, by in changes.items()}
        return {"uses": (msgspec.structs.replace(one, **more), *event.uses[1:])}

    return change


def without_uses(event: Any) -> dict[str, Any]:
    return {"uses": ()}


def first_count(event: Any) -> dict[str, Any]:
    one = event.counts[0]
    return {"counts": (msgspec.structs.replace(one, total=one.total + 1), *event.counts[1:])}


WRONG: list[tuple[type[Event], Callable[[Any], dict[str, Any]], str]] = [
    (TransferPosted, first_use(total=1), "of account alice had 0, 100 was used, and the event says 101"),
    (TransferPosted, first_use(amount=-1), "of account alice had 0, 99 was used, and the event says 100"),
    (TransferPosted, first_use(reserved=1), "of account alice had 0 not final, and the event says 1"),
    (TransferPosted, first_use(reserved=101), "had 0, 100 was used, and the event says 100"),
    (TransferPosted, without_uses, "of account alice had 0, -40 was used"),
    (TransferRefunded, first_use(total=1), "-40 was used, and the event says"),
    (HoldPlaced, first_use(reserved=-1), "had 0 not final, and the event says 69"),
    (HoldPlaced, first_use(reserved=-70), "had 0 not final, and the event says 0"),
    (HoldCaptured, first_use(total=-1), "was used, and the event says"),
    (HoldReleased, first_use(total=1), "-8 was used, and the event says"),
    (AmountCounted, first_count, "had 0, 300 was sent, and the event says 301"),
    (ApprovalRequested, first_count, "had 300, 250 was sent, and the event says 551"),
]


@pytest.mark.parametrize(("kind", "change", "what"), WRONG)
def test_what_was_not_used_is_named(
    kind: type[Event], change: Callable[[Any], dict[str, Any]], what: str
) -> None:
    log = counted()
    assert verify(log).ok
    index = log.find(
        lambda event: type(event) is kind and bool(getattr(event, "uses", ()) or kind is AmountCounted)
    )
    log.change(index, **change(log.event(index)))
    log.relink()
    result = verify(log)
    assert not result.ok
    assert any(what in one.what for one in result.problems), [one.what for one in result.problems]


def test_a_state_that_counts_otherwise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in evolve, which a check of the events alone would not see."""
    log = counted()
    monkeypatch.setattr("book.transfers.use", lambda book, uses: None)
    assert any("the state counts" in one.what for one in verify(log).problems)

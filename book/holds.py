"""What changes holds. An ended hold is forgotten; what became of it stands in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.hold import Hold
from book.reserves import reserve, use
from book.state import Book
from book.transfers import post
from schemas.holds import HoldCaptured, HoldPlaced, HoldRaised, HoldReleased


def hold_timer(hold: str) -> str:
    """The id of the timer that ends a hold."""
    return f"hold\n{hold}"


def hold_placed(book: Book, event: HoldPlaced) -> None:
    """Funds are held until the hold ends."""
    reserve(book, event.reserves)
    use(book, event.uses)
    assert event.hold not in book.holds, "a hold is placed once"
    book.holds[event.hold] = Hold(
        account=event.account,
        amount=event.amount,
        expires_at_ms=event.expires_at_ms,
        counterparty=event.counterparty,
        channel=event.channel,
        uses=event.uses,
        fees=event.fees,
        charged=(0,) * len(event.fees),
    )
    book.timers.set(hold_timer(event.hold), event.expires_at_ms)


def hold_raised(book: Book, event: HoldRaised) -> None:
    """More is held."""
    reserve(book, event.reserves)
    use(book, event.uses)
    hold = book.holds[event.hold]
    assert event.amount_after == hold.amount + event.amount, "a hold is raised by the amount"
    hold.amount = event.amount_after
    hold.expires_at_ms = event.expires_at_ms
    hold.uses += event.uses
    hold.fees += event.fees
    hold.charged += (0,) * len(event.fees)
    book.timers.set(hold_timer(event.hold), event.expires_at_ms)


def hold_captured(book: Book, event: HoldCaptured) -> None:
    """Held funds were taken; where nothing is left, the hold has ended."""
    post(book, event.postings)
    reserve(book, event.reserves)
    use(book, event.uses)
    hold = book.holds[event.hold]
    captured = hold.captured + event.amount
    assert captured == event.captured_after <= hold.amount, "captures never exceed the hold"
    if not event.left:
        _ended(book, event.hold)
        return
    assert event.left == hold.amount - captured, "what is left is what was not captured"
    hold.captured = captured
    hold.charged = event.charged


def hold_released(book: Book, event: HoldReleased) -> None:
    """What was left is given back."""
    reserve(book, event.reserves)
    use(book, event.uses)
    _ended(book, event.hold)


def _ended(book: Book, hold: str) -> None:
    del book.holds[hold]
    book.timers.remove(hold_timer(hold))


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    HoldPlaced: hold_placed,
    HoldRaised: hold_raised,
    HoldCaptured: hold_captured,
    HoldReleased: hold_released,
}

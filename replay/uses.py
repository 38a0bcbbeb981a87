"""What limits, packages and policies count, kept a second time from what events say was used.

What a slice holds follows from what it held before; what is not final is a part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.reserves import slice_of
from book.state import Book
from schemas.approvals import ApprovalRequested, TermsChanged
from schemas.crossbook import CrossBookSent
from schemas.fields import INT64_MAX
from schemas.holds import HoldPlaced, HoldRaised
from schemas.message import Event
from schemas.payments import PaymentSubmitted
from schemas.reserves import Use

Found = Callable[[str], None]
"""Told what is wrong with an event, in a sentence."""
RESERVES: frozenset[type[Event]] = frozenset(
    {HoldPlaced, HoldRaised, CrossBookSent, ApprovalRequested, TermsChanged}
)
"""What uses room for the time being; also a payment that is to wait. All else uses it for good."""
_Slices = dict[int, tuple[int, int]]


class Uses:
    """One book's second count: by line, by whose count it is, and by slice."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str, str], _Slices] = {}
        self._sent: dict[tuple[str, str, str], _Slices] = {}

    def use(self, book: Book, event: Any, found: Found) -> None:
        """Check what an event uses up or gives back against the count so far, before the book does it."""
        for_now = type(event) in RESERVES or (isinstance(event, PaymentSubmitted) and bool(event.reserves))
        for one in event.uses:
            if one.by in ("account", "party"):
                holders: Any = book.accounts if one.by == "account" else book.parties
                if one.key not in holders:
                    found(f"there is no {one.by} {one.key}")
            total, reserved = _held(self._used, one)
            more = one.reserved - reserved
            if total + one.amount != one.total or not 0 <= one.reserved <= one.total:
                found(f"{_named(one)} had {total}, {one.amount} was used, and the event says {one.total}")
            elif (more > 0) if one.amount <= 0 else (more != (one.amount if for_now else 0)):
                found(f"{_named(one)} had {reserved} not final, and the event says {one.reserved}")
            _keep(self._used, one)

    def applied(self, book: Book, event: Any, found: Found) -> None:
        """Check, when the event was applied, that the book counts the same."""
        for one in event.uses:
            holders: Any = book.accounts if one.by == "account" else book.parties
            if one.by in ("account", "party") and one.key not in holders:
                continue
            held = slice_of(book, one.limit, one.by, one.key, one.bucket)
            if held != (kept := _held(self._used, one)):
                found(f"the state counts {held} for {_named(one)}, its uses {kept}")

    def send(self, event: Any, found: Found) -> None:
        """Check what an event counts for its maker and payee."""
        for one in event.counts:
            total, _ = _held(self._sent, one)
            if one.total != max(0, min(INT64_MAX, total + one.amount)) or one.reserved:
                found(f"{one.limit} had {total}, {one.amount} was sent, and the event says {one.total}")
            _keep(self._sent, one)


def _named(one: Use) -> str:
    return f"{one.limit} of {one.by} {one.key}"


def _held(counts: dict[tuple[str, str, str], _Slices], one: Use) -> tuple[int, int]:
    return counts.get((one.limit, one.by, one.key), {}).get(one.bucket, (0, 0))


def _keep(counts: dict[tuple[str, str, str], _Slices], one: Use) -> None:
    """Assign the slice. With a newer one those go that count no longer."""
    slices = counts.setdefault((one.limit, one.by, one.key), {})
    if one.bucket not in slices:
        for stale in [bucket for bucket in slices if bucket < one.first]:
            del slices[stale]
    slices[one.bucket] = one.total, one.reserved

"""Which account a hold or payment touches, and how much it moves, for the scopes of roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from schemas.holds import CaptureHold, PlaceHold, RaiseHold, ReleaseHold
from schemas.message import Command
from schemas.payments import CancelPayment, RecallPayment, SubmitPayment
from schemas.rail_reports import ReportPayment
from schemas.repairs import RepairPayment

Touched = tuple[str, list[tuple[str, int]]]
"""An account, and (currency, minor units) of each movement."""


def _asked(book: Book, command: PlaceHold | SubmitPayment) -> Touched:
    return command.account, [(command.currency, command.amount)]


def _hold(book: Book, command: RaiseHold | CaptureHold | ReleaseHold) -> Touched | None:
    hold = book.holds.get(command.hold)
    if hold is None:
        return None
    amount = hold.left if isinstance(command, ReleaseHold) else command.amount
    return hold.account, [(book.accounts[hold.account].currency, amount)]


def _payment(
    book: Book, command: CancelPayment | RecallPayment | ReportPayment | RepairPayment
) -> Touched | None:
    payment = book.payments.by_id.get(command.payment)
    return None if payment is None else (payment.account, [(payment.currency, payment.amount)])


TOUCHES: dict[type[Command], Callable[[Book, Any], Touched | None]] = {
    PlaceHold: _asked,
    RaiseHold: _hold,
    CaptureHold: _hold,
    ReleaseHold: _hold,
    SubmitPayment: _asked,
    CancelPayment: _payment,
    RecallPayment: _payment,
    ReportPayment: _payment,
    RepairPayment: _payment,
}
"""None where there is no such hold or payment."""

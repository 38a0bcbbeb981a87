"""Which account a hold, payment or receipt touches, and how much it moves, for the scopes of roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from schemas.holds import CaptureHold, PlaceHold, RaiseHold, ReleaseHold
from schemas.message import Command
from schemas.orders import (
    CancelStandingOrder,
    ChangeStandingOrder,
    CreateStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    SchedulePayment,
)
from schemas.payments import CancelPayment, RecallPayment, SubmitPayment
from schemas.payments_in import (
    AssignSuspense,
    ReceivePayment,
    RefundReceipt,
    ResolveSuspense,
    ReturnReceipt,
)
from schemas.rail_reports import ReportPayment
from schemas.repairs import RepairPayment
from schemas.reviews import DeclinePayment, EscalateReview, ReleasePayment

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
    book: Book,
    command: CancelPayment
    | RecallPayment
    | ReportPayment
    | RepairPayment
    | ReleasePayment
    | DeclinePayment
    | EscalateReview,
) -> Touched | None:
    payment = book.payments.by_id.get(command.payment)
    return None if payment is None else (payment.account, [(payment.currency, payment.amount)])


def _new_order(book: Book, command: SchedulePayment | CreateStandingOrder) -> Touched:
    return command.account, [(command.currency, command.amount)]


def _order(
    book: Book,
    command: ChangeStandingOrder | PauseStandingOrder | ResumeStandingOrder | CancelStandingOrder,
) -> Touched | None:
    order = book.orders.standing.get(command.order)
    if order is None:
        return None
    amount = command.amount if isinstance(command, ChangeStandingOrder) else None
    return order.account, [(order.currency, amount or order.amount)]


def _received(book: Book, command: ReceivePayment) -> Touched:
    return command.account, [(command.currency, command.amount)]


def _suspense(book: Book, command: ResolveSuspense | AssignSuspense | ReturnReceipt) -> Touched | None:
    """The account that is to be credited, or the bank's own on which it waits."""
    parked = book.receipts.parked.get(command.receipt)
    if parked is None:
        return None
    account = command.account if isinstance(command, ResolveSuspense) else parked.suspense
    return account, [(parked.currency, parked.amount)]


def _refund(book: Book, command: RefundReceipt) -> Touched | None:
    credited = book.receipts.credited.get(command.receipt)
    return None if credited is None else (credited.account, [(credited.currency, command.amount)])


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
    ReleasePayment: _payment,
    DeclinePayment: _payment,
    EscalateReview: _payment,
    SchedulePayment: _new_order,
    CreateStandingOrder: _new_order,
    ChangeStandingOrder: _order,
    PauseStandingOrder: _order,
    ResumeStandingOrder: _order,
    CancelStandingOrder: _order,
    ReceivePayment: _received,
    ResolveSuspense: _suspense,
    AssignSuspense: _suspense,
    ReturnReceipt: _suspense,
    RefundReceipt: _refund,
}
"""None where there is no such hold, payment, order or receipt."""

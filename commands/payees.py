"""Whom a command pays, and how much: what policy adds up by maker and payee, against splitting.

A payee is an account, here or elsewhere, by whatever command it is paid. Every command type that moves or
reserves money stands in one of the three tables; `tests/payees_test.py` asks that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from book.state import Book
from book.transfers import find_posted
from schemas.approvals import Approve, Decline, Withdraw
from schemas.bulk import SubmitBulk
from schemas.case_commands import ConfirmDecision, ProposeDecision
from schemas.closing import CloseYear
from schemas.crossbook import (
    AcknowledgeCrossBook,
    CompleteCrossBook,
    ReceiveFromBook,
    ReleaseCrossBook,
    SendToBook,
)
from schemas.exchange import Exchange
from schemas.fees import WaiveFee
from schemas.holds import CaptureHold, PlaceHold, RaiseHold, ReleaseHold
from schemas.instructions import To, ToAccount
from schemas.interest import CapitaliseInterest
from schemas.message import Command
from schemas.orders import ChangeStandingOrder, CreateStandingOrder, SchedulePayment
from schemas.payments import CancelPayment, RecallPayment, SubmitPayment
from schemas.payments_in import ReceivePayment, RefundReceipt, ResolveSuspense, ReturnReceipt
from schemas.rail_reports import ReportPayment
from schemas.repairs import RepairPayment
from schemas.reviews import DeclinePayment, ReleasePayment
from schemas.transfers import PostEntries, RefundTransfer, ReverseTransfer, Transfer
from schemas.value_dates import PostBackValued

Paid = tuple[str, str, int]
"""Payee, currency, minor units. The payee is empty where there is none of its own."""
Amounts = Sequence[tuple[str, int]]


def paid(book: Book, command: Command, amounts: Amounts) -> list[Paid]:
    """Whom the command pays how much. amounts: all of it, by currency, as `REACH` finds it."""
    if (shares := SHARES.get(type(command))) is not None:
        return shares(book, command)
    find = PAYEE.get(type(command))
    payee = "" if find is None else find(book, command)
    return [(payee, currency, amount) for currency, amount in amounts]


def _to(to: To) -> str:
    return to.account if isinstance(to, ToAccount) else to.payee.account


def _changed_order(book: Book, command: ChangeStandingOrder) -> str:
    order = book.orders.standing.get(command.order)
    return "" if order is None else _to(order.to)


def _raised_hold(book: Book, command: RaiseHold) -> str:
    hold = book.holds.get(command.hold)
    return "" if hold is None else hold.counterparty


def _payer(book: Book, command: ReturnReceipt) -> str:
    parked = book.receipts.parked.get(command.receipt)
    return "" if parked is None else parked.payer.account


def _refunded(book: Book, command: RefundTransfer) -> str:
    """Whom the transfer had debited."""
    posted = find_posted(book, command.transfer)
    return "" if posted is None else posted.legs[0][0]


def _instructions(book: Book, command: SubmitBulk) -> list[Paid]:
    return [(_to(one.to), one.currency, one.amount) for one in command.instructions]


def _credited(book: Book, command: PostEntries | PostBackValued) -> list[Paid]:
    return [(leg.account, leg.currency, leg.amount) for leg in command.legs if leg.amount > 0]


def _given_back(book: Book, command: ReverseTransfer) -> list[Paid]:
    """Whom the transfer or posting had debited."""
    posted = find_posted(book, command.transfer)
    legs = () if posted is None else posted.legs
    return [(account, book.accounts[account].currency, -amount) for account, amount in legs if amount < 0]


PAYEE: dict[type[Command], Callable[[Book, Any], str]] = {
    Transfer: lambda book, command: command.credit,
    SubmitPayment: lambda book, command: command.payee.account,
    SendToBook: lambda book, command: f"{command.to_book}/{command.to_account}",
    PlaceHold: lambda book, command: command.counterparty,
    RaiseHold: _raised_hold,
    CaptureHold: lambda book, command: command.credit,
    SchedulePayment: lambda book, command: _to(command.to),
    CreateStandingOrder: lambda book, command: _to(command.to),
    ChangeStandingOrder: _changed_order,
    Exchange: lambda book, command: command.credit,
    RefundTransfer: _refunded,
    ReceivePayment: lambda book, command: command.account,
    ReceiveFromBook: lambda book, command: command.account,
    ResolveSuspense: lambda book, command: command.account,
    ReturnReceipt: _payer,
    WaiveFee: lambda book, command: command.account,
}
"""Who is paid all of it."""
SHARES: dict[type[Command], Callable[[Book, Any], list[Paid]]] = {
    SubmitBulk: _instructions,
    PostEntries: _credited,
    PostBackValued: _credited,
    ReverseTransfer: _given_back,
}
"""What pays several, each of them a part."""
WITHOUT_PAYEE: dict[type[Command], str] = {
    RefundReceipt: "who has paid is not remembered once it was credited, so all of a maker's count together",
    ReleaseHold: "it frees what was held, and pays nobody",
    CancelPayment: "it frees what was reserved, and pays nobody",
    RecallPayment: "what comes back goes to who had paid",
    ReportPayment: "it says what became of a payment, which was counted when it was submitted",
    RepairPayment: "it decides what became of a payment, which was counted when it was submitted",
    CompleteCrossBook: "it settles a payment, which was counted when it was sent",
    ReleaseCrossBook: "it frees what was reserved, and pays nobody",
    AcknowledgeCrossBook: "it pays nobody",
    CapitaliseInterest: "what has accrued is paid; no maker chooses the amount",
    CloseYear: "it moves the bank's own result",
    ReleasePayment: "it lets a payment go, which was counted when it was submitted",
    DeclinePayment: "it frees what was reserved, and pays nobody",
    ProposeDecision: "what it releases was counted when it was submitted, and what it declines is free",
    ConfirmDecision: "what it releases was counted when it was submitted, and what it declines is free",
    Approve: "what it lets happen was counted for its maker",
    Decline: "it frees what was reserved, and pays nobody",
    Withdraw: "it frees what was reserved, and pays nobody",
}
"""What moves or frees money and has no payee of its own, with the reason."""

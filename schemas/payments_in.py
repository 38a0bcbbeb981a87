"""Payments in: what a rail has brought is credited, or it waits in suspense until people say what becomes of
it. Nothing that was received is ever dropped.
"""

from __future__ import annotations

from schemas.expected import ExpectedEntry
from schemas.fees import Fee
from schemas.fields import AccountId, Amount, Currency, Id, Label, NewId, PersonalText, Text
from schemas.message import Command, Date, Event, Value
from schemas.parties import Country
from schemas.payments import Bic
from schemas.postings import Posting
from schemas.rejections import Reason
from schemas.reserves import Use

ReceiptId = Id


class Payer(Value):
    """Who has paid. account: as the rail knows it, such as an IBAN.   agent: the BIC of their bank."""

    name: PersonalText
    account: PersonalText = ""
    agent: Bic = ""
    country: Country = ""


class ReceivePayment(Command, tag="ReceivePayment"):
    """Money has arrived at a nostro account.

    receipt: the rail's own id for it, so that what it says twice is received once.
    account: whom it is for, as the rail says: it need not exist.
    value_date: as the rail says; what is outside the open period counts from its nearest day.
    """

    receipt: NewId
    rail: Label
    nostro: AccountId
    amount: Amount
    currency: Currency
    payer: Payer
    account: Text
    reference: Text = ""
    end_to_end: Label = ""
    value_date: Date | None = None


class ResolveSuspense(Command, tag="ResolveSuspense"):
    """Credit what waits in suspense to an account."""

    receipt: ReceiptId
    account: AccountId
    note: Text


class AssignSuspense(Command, tag="AssignSuspense"):
    """Say who looks after what waits in suspense."""

    receipt: ReceiptId
    owner: Id
    note: Text


class ReturnReceipt(Command, tag="ReturnReceipt"):
    """Send what waits in suspense back to who has paid it."""

    receipt: ReceiptId
    reason: Text


class RefundReceipt(Command, tag="RefundReceipt"):
    """Give a part of what was credited back to who has paid it; all parts together never exceed it."""

    receipt: ReceiptId
    amount: Amount
    reason: Text


class ReceiptCredited(Event, tag="ReceiptCredited"):
    """Money has arrived and was credited: from the nostro account to the customer, less the fees."""

    receipt: str
    rail: str
    nostro: str
    account: str
    amount: int
    currency: str
    payer: Payer
    reference: Text
    end_to_end: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    fees: tuple[Fee, ...]
    uses: tuple[Use, ...]
    expected: tuple[ExpectedEntry, ...]


class ReceiptParked(Event, tag="ReceiptParked"):
    """Money has arrived that could not be credited. It waits on the suspense account.

    account: for whom it came, as the rail said.   reason, figures: why it could not be credited.
    ages_ms: the book times at which it will be said how old it is.
    """

    receipt: str
    rail: str
    nostro: str
    suspense: str
    account: Text
    amount: int
    currency: str
    payer: Payer
    reference: Text
    end_to_end: str
    reason: Reason
    figures: dict[str, int | str]
    owner: str
    ages_ms: tuple[int, ...]
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    expected: tuple[ExpectedEntry, ...]


class SuspenseAged(Event, tag="SuspenseAged"):
    """What waits in suspense has reached an age. days: how old it is.   next_ms: of the next age, if any."""

    receipt: str
    owner: str
    days: int
    step: int
    next_ms: int | None


class SuspenseAssigned(Event, tag="SuspenseAssigned"):
    """Somebody else looks after what waits in suspense."""

    receipt: str
    before: str
    owner: str
    note: str


class SuspenseResolved(Event, tag="SuspenseResolved"):
    """What waited in suspense was credited, less the fees."""

    receipt: str
    suspense: str
    account: str
    amount: int
    currency: str
    note: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    fees: tuple[Fee, ...]
    uses: tuple[Use, ...]


class ReceiptReturned(Event, tag="ReceiptReturned"):
    """What waited in suspense goes back to who has paid it: the rail's adapter reads this."""

    receipt: str
    rail: str
    suspense: str
    nostro: str
    amount: int
    currency: str
    payer: Payer
    end_to_end: str
    reason: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    expected: tuple[ExpectedEntry, ...]


class ReceiptRefunded(Event, tag="ReceiptRefunded"):
    """A part of what was credited goes back to who has paid it: the rail's adapter reads this.

    refunded_after: the sum of all parts so far, minor units.   part: 1, 2, 3... of this receipt.
    """

    receipt: str
    rail: str
    account: str
    nostro: str
    amount: int
    currency: str
    refunded_after: int
    part: int
    reason: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    expected: tuple[ExpectedEntry, ...]


COMMANDS = (ReceivePayment, ResolveSuspense, AssignSuspense, ReturnReceipt, RefundReceipt)
EVENTS = (
    ReceiptCredited,
    ReceiptParked,
    SuspenseAged,
    SuspenseAssigned,
    SuspenseResolved,
    ReceiptReturned,
    ReceiptRefunded,
)

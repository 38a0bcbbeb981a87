"""External payments, out: what customers ask for, when it is sent, and what they may still change.

What rails answer is in `schemas/rail_reports.py`, what people do about it in `schemas/repairs.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta
from pydantic import StringConstraints

from schemas.documents.document import DocumentId
from schemas.expected import ExpectedEntry
from schemas.fees import Fee
from schemas.fields import (
    END,
    AccountId,
    Amount,
    Currency,
    Id,
    Label,
    NewId,
    PaymentId,
    PersonalText,
    Screening,
    Text,
)
from schemas.message import Command, Date, Event, Value
from schemas.parties import Country
from schemas.postings import Posting
from schemas.reserves import Reserve, Use
from schemas.risk import Origin

BIC = "^([A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?)?$"
Bic = Annotated[str, Meta(pattern=BIC + END), StringConstraints(pattern=BIC)]
"""ISO 9362 business identifier code of 8 or 11 characters, or empty."""

WaitReason = Literal[
    "risk_review",
    "execution_date",
    "stopped",
    "party_screening",
    "payment_screening",
    "party_not_active",
    "account_blocked",
    "rail_unavailable",
    "cut_off",
]
"""Why a payment is not sent yet. The first of those that hold is the one it waits for, in this order."""


class Payee(Value):
    """Who is to be paid. account: as the rail knows it, such as an IBAN.   agent: the BIC of their bank."""

    name: PersonalText
    account: PersonalText
    agent: Bic = ""
    country: Country = ""


class SubmitPayment(Command, tag="SubmitPayment"):
    """Pay somebody outside the bank, from `account`, by a rail.

    amount: minor units of `currency`, the account's; fees are on top.
    execution_date: the first day on which it may be sent; today if not given.
    end_to_end: the payer's own id for it, which the payee is told.   purpose: ISO 20022 code, or empty.
    origin: where and with what it was asked for, as far as is known; rules ask.
    """

    payment: NewId
    account: AccountId
    amount: Amount
    currency: Currency
    rail: DocumentId
    payee: Payee
    purpose: Label = ""
    reference: Text = ""
    end_to_end: Label = ""
    channel: Label = ""
    execution_date: Date | None = None
    origin: Origin | None = None


class CancelPayment(Command, tag="CancelPayment"):
    """Take a payment back that was not sent yet."""

    payment: PaymentId
    reason: Text


class RecallPayment(Command, tag="RecallPayment"):
    """Ask the rail to bring a payment back that was sent. It may refuse."""

    payment: PaymentId
    reason: Text


class SetScreening(Command, tag="SetScreening"):
    """Say what screening found. subject: what `of` is the id of."""

    subject: Literal["party", "payment"]
    of: Id
    state: Screening
    reason: Text


class PaymentSubmitted(Event, tag="PaymentSubmitted"):
    """A payment is accepted, its amount and fees are reserved. The next event sends it or says why it waits.

    end_to_end: the payment's id where the payer gave none.   screening: the payment's own.
    """

    payment: str
    account: str
    amount: int
    currency: str
    rail: str
    payee: Payee
    purpose: str
    reference: Text
    end_to_end: str
    channel: str
    execution_date: Date
    screening: Screening
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]
    origin: Origin | None = None


class PaymentWaiting(Event, tag="PaymentWaiting"):
    """A payment is not sent yet. by: what stands in its way, such as the stop or the party.

    due_ms: when it is looked at again, where that is known.
    """

    payment: str
    reason: WaitReason
    by: str
    due_ms: int | None


class PaymentDispatched(Event, tag="PaymentDispatched"):
    """A payment is to be sent: the rail's adapter reads this. Its money is in transit, its fees are charged.

    nostro, in_transit, suspense: the accounts that it goes through from here on.
    answer_by_ms: when silence sends it to repair.
    """

    payment: str
    rail: str
    account: str
    amount: int
    currency: str
    payee: Payee
    purpose: str
    reference: Text
    end_to_end: str
    nostro: str
    in_transit: str
    suspense: str
    answer_by_ms: int
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]
    expected: tuple[ExpectedEntry, ...]


class PaymentCancelled(Event, tag="PaymentCancelled"):
    """A payment was taken back before it was sent."""

    payment: str
    reason: str
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]


class RecallRequested(Event, tag="RecallRequested"):
    """The rail is to bring the payment back: its adapter reads this. amount: what is still out."""

    payment: str
    rail: str
    amount: int
    currency: str
    end_to_end: str
    reason: str


class PartyScreened(Event, tag="PartyScreened"):
    """Screening of a party has a new result."""

    party: str
    before: Screening
    state: Screening
    reason: str


class PaymentScreened(Event, tag="PaymentScreened"):
    """Screening of a payment has a new result."""

    payment: str
    before: Screening
    state: Screening
    reason: str


class PaymentsReleased(Event, tag="PaymentsReleased"):
    """What kept payments waiting has changed, and a slice of them was looked at again, in order.

    reason, by: what they waited for.   left: how many still do.   next_ms: when the next slice is looked at,
    if there is one.
    """

    reason: WaitReason
    by: str
    looked_at: int
    left: int
    next_ms: int | None


COMMANDS = (SubmitPayment, CancelPayment, RecallPayment, SetScreening)
EVENTS = (
    PaymentSubmitted,
    PaymentWaiting,
    PaymentDispatched,
    PaymentCancelled,
    RecallRequested,
    PartyScreened,
    PaymentScreened,
    PaymentsReleased,
)

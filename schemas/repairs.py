"""The repair queue: what people do about payments whose outcome is unknown or contradicts itself."""

from __future__ import annotations

from typing import Literal

from schemas.fields import PaymentId, Text
from schemas.message import Command, Date, Event
from schemas.payments import Payee
from schemas.postings import Posting

RepairAction = Literal["ask", "resend", "settle", "fail", "charge", "close"]
"""ask: what became of it.   resend: with the same id.   settle, fail: as if the rail had said so.
charge: the payer pays what suspense bears.   close: what is left is dealt with by other postings.
"""


class RepairPayment(Command, tag="RepairPayment"):
    """Deal with a payment in repair. All but `ask` and `resend` take two persons: the first one's command
    proposes, and the same from another person does it.
    """

    payment: PaymentId
    action: RepairAction
    reason: Text


class RepairProposed(Event, tag="RepairProposed"):
    """The first of two persons wants this done. What was proposed before no longer counts.

    proposer: the user, also where somebody else has approved it.
    """

    payment: str
    action: RepairAction
    proposer: str
    person: str
    reason: str


class PaymentQueried(Event, tag="PaymentQueried"):
    """The rail is asked what became of a payment: its adapter reads this. asked: how often it was, in all."""

    payment: str
    rail: str
    end_to_end: str
    asked: int
    reason: str
    answer_by_ms: int


class PaymentResent(Event, tag="PaymentResent"):
    """The payment is sent again with the same id: the rail's adapter reads this. attempt: 2, 3, ..."""

    payment: str
    rail: str
    account: str
    amount: int
    currency: str
    payee: Payee
    purpose: str
    reference: Text
    end_to_end: str
    attempt: int
    reason: str
    answer_by_ms: int


class PaymentCharged(Event, tag="PaymentCharged"):
    """The payer has paid what suspense bore."""

    payment: str
    account: str
    amount: int
    currency: str
    reason: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]


class RepairClosed(Event, tag="RepairClosed"):
    """The payment is out of repair. persons: who decided it.   action: what they decided."""

    payment: str
    action: RepairAction
    persons: tuple[str, ...]
    reason: str


COMMANDS = (RepairPayment,)
EVENTS = (RepairProposed, PaymentQueried, PaymentResent, PaymentCharged, RepairClosed)

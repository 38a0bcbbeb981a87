"""Stop switches: payments that are not sent until somebody says that they may."""

from __future__ import annotations

from typing import Literal

from schemas.fields import Label, NewId, StopId, Text
from schemas.message import Command, Event

StopScope = Literal["book", "rail", "product", "segment"]


class StopPayments(Command, tag="StopPayments"):
    """Send no more payments. value: which rail, product or party segment; empty for the whole book."""

    stop: NewId
    scope: StopScope
    reason: Text
    value: Label = ""


class ResumePayments(Command, tag="ResumePayments"):
    """Lift a stop. What waited for it is sent in order, unless something else stands in its way."""

    stop: StopId
    reason: Text


class PaymentsStopped(Event, tag="PaymentsStopped"):
    """No payment is sent that falls under this."""

    stop: str
    scope: StopScope
    value: str
    reason: str


class PaymentsResumed(Event, tag="PaymentsResumed"):
    """The stop is lifted. waiting: how many payments waited for it."""

    stop: str
    reason: str
    waiting: int


COMMANDS = (StopPayments, ResumePayments)
EVENTS = (PaymentsStopped, PaymentsResumed)

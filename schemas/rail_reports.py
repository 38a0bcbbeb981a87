"""What becomes of a payment that was sent, as its rail reports it. What the answers mean in each state:
`commands/rail_reports.py`.
"""

from __future__ import annotations

from typing import Literal

from schemas.expected import ExpectedEntry
from schemas.fees import Fee
from schemas.fields import Amount, Label, PaymentId, Text
from schemas.message import Command, Date, Event
from schemas.postings import Posting
from schemas.reserves import Use

ReportStatus = Literal[
    "accepted", "settled", "failed", "returned", "recall_accepted", "recall_refused", "unknown"
]
RepairReason = Literal[
    "no_answer",
    "outcome_unknown",
    "amount_mismatch",
    "failed_after_settled",
    "settled_after_failed",
    "not_credited",
]


class ReportPayment(Command, tag="ReportPayment"):
    """What a rail says of a payment, sent by the system that is its adapter.

    amount: of what was settled, returned or recalled, minor units; all that is still out if not given.
    rail_reference: the rail's own id for what it reports; a return is told from another by it.
    """

    payment: PaymentId
    status: ReportStatus
    amount: Amount | None = None
    reason: Text = ""
    rail_reference: Label = ""


class PaymentAccepted(Event, tag="PaymentAccepted"):
    """The rail has taken the payment. answer_by_ms: when its further silence sends it to repair."""

    payment: str
    rail_reference: str
    answer_by_ms: int


class PaymentSettled(Event, tag="PaymentSettled"):
    """The money has left the nostro account.

    late: it was given back before, so suspense bears it until people have decided.
    """

    payment: str
    amount: int
    currency: str
    late: bool
    reason: str
    rail_reference: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    expected: tuple[ExpectedEntry, ...]


class PaymentFailed(Event, tag="PaymentFailed"):
    """The payment was not carried out: amount and fees are given back, limits too.

    credited: the payer's account, or suspense where that takes nothing.
    fees: those that were reversed.   charged: seq of the event that had charged them.
    """

    payment: str
    account: str
    credited: str
    amount: int
    currency: str
    reason: str
    rail_reference: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]
    charged: int
    expected: tuple[ExpectedEntry, ...]


class PaymentReturned(Event, tag="PaymentReturned"):
    """Money came back, whole or in part. returned_after: all that has come back.   left: what has not.

    recalled: as we asked.   credited: the payer's account, or suspense where that takes nothing or was paid
    back before.
    """

    payment: str
    account: str
    credited: str
    amount: int
    currency: str
    returned_after: int
    left: int
    recalled: bool
    reason: str
    rail_reference: str
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]
    expected: tuple[ExpectedEntry, ...]


class RecallRefused(Event, tag="RecallRefused"):
    """The rail does not bring the payment back."""

    payment: str
    reason: str
    rail_reference: str


class RepairNeeded(Event, tag="RepairNeeded"):
    """People have to look at a payment: the rail is silent or unclear, or says what cannot be."""

    payment: str
    reason: RepairReason
    detail: str


COMMANDS = (ReportPayment,)
EVENTS = (PaymentAccepted, PaymentSettled, PaymentFailed, PaymentReturned, RecallRefused, RepairNeeded)

"""What is known of a payment that leaves the bank, of what waits, and of the stop switches."""

from __future__ import annotations

from typing import Literal

import msgspec

from book.review import Review
from schemas.fees import Fee
from schemas.fields import Screening
from schemas.message import Date
from schemas.payments import Payee
from schemas.rail_reports import RepairReason
from schemas.repairs import RepairAction
from schemas.reserves import Use
from schemas.stops import StopScope

PaymentStatus = Literal[
    "waiting",
    "cancelled",
    "declined",
    "dispatched",
    "accepted",
    "settled",
    "failed",
    "returned",
    "recalled",
    "disputed",
]
"""declined: by the bank, after review.   returned: whole.   recalled: came back whole because we asked.
disputed: it was given back, and then the rail said that it was settled, so suspense bears it.
"""
IN_TRANSIT = ("dispatched", "accepted")


class Proposal(msgspec.Struct, gc=False, frozen=True):
    """What the first of two persons wants done about a payment in repair."""

    action: RepairAction
    actor: str
    person: str


class Repair(msgspec.Struct):
    """Why and since when a payment is in repair."""

    reason: RepairReason
    since_ms: int
    proposal: Proposal | None = None


class Payment(msgspec.Struct):
    """waits_for: the key it waits under, empty where it does not (see `waiting_key`).

    payee: None once nothing can be sent any more.   settled: whether the nostro account has paid.
    owed_to: who gets what comes back.   returned: how much has.   returns: the rail's references of it.
    attempt, asked: how often it was sent, and how often the rail was asked about it.
    fees: that were not waived.   charged_seq: of the event that charged them, 0 while they are reserved.
    told_seq, told_at_ms: of the event that told the rail last what to do.
    """

    account: str
    amount: int
    currency: str
    rail: str
    payee: Payee | None
    purpose: str
    reference: str
    end_to_end: str
    execution_date: Date
    screening: Screening
    uses: tuple[Use, ...]
    fees: tuple[Fee, ...]
    owed_to: str
    status: PaymentStatus = "waiting"
    waits_for: str = ""
    nostro: str = ""
    in_transit: str = ""
    suspense: str = ""
    settled: bool = False
    returned: int = 0
    returns: tuple[str, ...] = ()
    attempt: int = 0
    asked: int = 0
    charged_seq: int = 0
    told_seq: int = 0
    told_at_ms: int = 0
    recall: Literal["", "requested", "accepted", "refused"] = ""
    repair: Repair | None = None

    @property
    def left(self) -> int:
        """What has not come back."""
        return self.amount - self.returned


class Stop(msgspec.Struct, gc=False, frozen=True):
    """A stop switch that is on. value: which rail, product or segment.   since_ms: book time."""

    scope: StopScope
    value: str
    reason: str
    author: str
    since_ms: int


class Payments(msgspec.Struct):
    """waiting: what waits under each key, in the order in which it came there, with the seq of that event.

    releasing: the keys whose obstacle has gone, with the seq of the event that says so: what came to wait
    before it is looked at again.   reviews: of payments that wait for one.
    """

    by_id: dict[str, Payment] = {}
    waiting: dict[str, dict[str, int]] = {}
    releasing: dict[str, int] = {}
    stops: dict[str, Stop] = {}
    reviews: dict[str, Review] = {}


def waiting_key(reason: str, by: str) -> str:
    """What a payment waits for. No id holds a line feed."""
    return f"{reason}\n{by}"

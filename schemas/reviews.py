"""Review: payments that wait, with their money reserved, until a person has looked at them.

Who asked for the payment only ever learns that it is being processed. That it is looked at, by whom and why,
is for staff; what comes of it in the end (sent, declined) is not.
"""

from __future__ import annotations

from typing import Literal

from schemas.fields import PaymentId, Text
from schemas.message import Command, Event
from schemas.reserves import Reserve, Use

ReviewLabel = Literal["", "confirmed_fraud", "suspicious", "false_positive", "legitimate", "inconclusive"]
"""What was found, by the words in which cases say it; empty where it is not said."""
OnTimeout = Literal["escalate", "decline"]
"""What becomes of a review in which nobody decides. That time passes never sends a payment."""


class ReleasePayment(Command, tag="ReleasePayment"):
    """Let a payment go that waits for review, unless something else stands in its way. reason: for staff."""

    payment: PaymentId
    reason: Text
    label: ReviewLabel = ""


class DeclinePayment(Command, tag="DeclinePayment"):
    """End a payment that waits for review: it is not sent, its money is free. reason: for staff only."""

    payment: PaymentId
    reason: Text
    label: ReviewLabel = ""


class EscalateReview(Command, tag="EscalateReview"):
    """Leave the decision about a payment to others. Who does can no longer release it."""

    payment: PaymentId
    reason: Text


class ReviewBegan(Event, tag="ReviewBegan"):
    """A payment waits for review. maker, person: who asked for it, and who that is; they never release it.

    account, party: whose it is.   within_ms: how long it may wait for somebody, `then` what comes of it.
    answer_by_ms: when that is.
    """

    payment: str
    account: str
    party: str
    amount: int
    currency: str
    maker: str
    person: str
    within_ms: int
    then: OnTimeout
    answer_by_ms: int


class ReviewEscalated(Event, tag="ReviewEscalated"):
    """A review has gone to others, by a person or by its timer. level: how often it has by now.

    person: who gave it away; empty for the timer.   answer_by_ms: when it goes on; None for never again.
    """

    payment: str
    level: int
    person: str
    reason: str
    answer_by_ms: int | None


class ReviewReleased(Event, tag="ReviewReleased"):
    """A person has let a payment go. The next event sends it, or says what it waits for now."""

    payment: str
    person: str
    reason: str
    label: ReviewLabel
    level: int


class PaymentDeclined(Event, tag="PaymentDeclined"):
    """The bank does not send a payment, and its money is free again.

    restricted: why, for staff.   person: who decided; empty where its time was over.
    """

    payment: str
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    person: str
    label: ReviewLabel
    level: int
    restricted: str


COMMANDS = (ReleasePayment, DeclinePayment, EscalateReview)
EVENTS = (ReviewBegan, ReviewEscalated, ReviewReleased, PaymentDeclined)

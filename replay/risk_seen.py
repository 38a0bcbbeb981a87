"""What is read of events where risk is asked about, and the movements that they tell of.

Nothing here decides anything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from book.state import Book
from replay.effects import Seen
from schemas.message import Event
from schemas.risk import Assessment, Declined, Verdict

Outcome = Literal["approve", "review", "decline", "refused"]
"""refused: for another reason than rules, or not there at all."""
OUTCOMES: tuple[Outcome, ...] = ("approve", "review", "decline", "refused")
PASSED = {"TransferPosted": "debit", "PaymentSubmitted": "account", "CrossBookSent": "account"}
"""What lets a movement through, and the field of whose account it leaves."""
REFUSED = {
    "CommandRejected",
    "InstructionRefused",
    "ApprovalFailed",
    "StandingOrderMissed",
    "StandingOrderSkipped",
}
SCORED = {*PASSED, *REFUSED, "RiskAssessed", "PaymentWaiting", "ReviewBegan", "ReviewReleased"}


class SeenRisk(Seen):
    """What is read of an event where risk is asked about."""

    account: str = ""
    debit: str = ""
    payment: str = ""
    transfer: Any = ""
    amount: Any = 0
    currency: str = ""
    of: Any = 0
    verdict: Any = ""
    assessments: tuple[Assessment, ...] = ()
    restricted: str = ""
    figures: Any = None


see_risk = msgspec.json.Decoder(SeenRisk).decode
_declined = msgspec.json.Decoder(Declined).decode


def risk_seen_of(event: Event) -> SeenRisk:
    """The same of an event that has not been written."""
    kind = type(event)
    return SeenRisk(kind.__name__, **{name: getattr(event, name) for name in _read_of(kind)})


@functools.cache
def _read_of(kind: type[Event]) -> tuple[str, ...]:
    """The fields that are read of events of a type: what risk asks for only where it may ask."""
    asked = SeenRisk if kind.__name__ in SCORED else Seen
    return tuple(name for name in asked.__struct_fields__ if name in kind.__struct_fields__)


class Moved(msgspec.Struct, frozen=True, gc=False):
    """A movement that was asked for. seqs: of the events that say what came of it.   name: the payment's."""

    outcome: Outcome
    seqs: tuple[int, ...]
    at_ms: int
    name: str = ""
    amount: int = 0
    currency: str = ""
    assessments: tuple[Assessment, ...] = ()


def moved(book: Book, outcome: Sequence[Seen]) -> Iterator[Moved]:
    """The movements of customers that an outcome is about, in order."""
    assessed = {one.of: one for one in outcome if isinstance(one, SeenRisk) and one.type == "RiskAssessed"}
    for one in outcome:
        if not isinstance(one, SeenRisk):
            continue
        if one.type in PASSED:
            account = book.accounts.get(getattr(one, PASSED[one.type]))
            if account is None or account.kind != "customer":
                continue
            by = assessed.get(one.seq)
            verdict: Verdict = "approve" if by is None else by.verdict
            seqs = (one.seq,) if by is None else (one.seq, by.seq)
            noted = () if by is None else by.assessments
            name = one.payment or (one.transfer if isinstance(one.transfer, str) else "")
            yield Moved(verdict, seqs, one.at, name, one.amount, one.currency, noted)
        elif one.type in REFUSED:
            if one.reason == "declined" or (one.figures or {}).get("refused") == "declined":
                told = _declined(one.restricted)
                yield Moved(
                    "decline", (one.seq,), one.at, told.movement, told.amount, told.currency, told.assessments
                )
            else:
                yield Moved("refused", (one.seq,), one.at)

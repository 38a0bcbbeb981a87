"""What is assumed about reviews, where a history has nobody to ask, and what drafts about risk say.

Nothing here may release a payment that a case has found to be bad.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from book.risk import features_of
from book.state import Book
from commands.decision import Steps
from commands.payments import next_step
from commands.posting import payers, reserved
from commands.reserves import given_back
from replay.drafts import Drafted
from replay.effects import Seen
from replay.other_history import ASSUMED
from replay.risk_seen import SeenRisk
from schemas.case_commands import ConfirmDecision, ProposeDecision
from schemas.cases import Act
from schemas.documents.kinds import read
from schemas.documents.rules import Rules
from schemas.message import Command
from schemas.rejections import Rejection
from schemas.reviews import (
    DeclinePayment,
    EscalateReview,
    PaymentDeclined,
    ReleasePayment,
    ReviewReleased,
)

ABOUT_RISK = frozenset({"rules", "list", "model"})
"""The kinds of documents whose drafts are about risk."""
REVIEWING = (ReleasePayment, DeclinePayment, EscalateReview)
_WAITS = {("PaymentWaiting", "risk_review"), ("ReviewBegan", ""), ("ReviewReleased", "")}


def in_review(book: Book, command: Command | Rejection) -> bool:
    """Whether the payments that a person decides about, if any, all wait for review in the other history."""
    reviews = book.payments.reviews
    if isinstance(command, REVIEWING):
        return command.payment in reviews
    acts: Sequence[Act] = ()
    if isinstance(command, ProposeDecision):
        acts = command.acts
    elif isinstance(command, ConfirmDecision):
        case = book.cases.by_id.get(command.case)
        acts = case.proposed.acts if case is not None and case.proposed is not None else ()
    return all(one.of in reviews for one in acts if one.action in ("release", "decline"))


def somebody_looks(book: Book, payment_id: str, at_ms: int, *, bad: bool) -> Steps:
    """A payment that waits for review is looked at. bad: a case has found that it is."""
    payment = book.payments.by_id[payment_id]
    level = book.payments.reviews[payment_id].level
    if bad:
        yield PaymentDeclined(
            payment=payment_id,
            reserves=reserved(book, payers(payment.account, payment.amount, payment.fees), -1),
            uses=given_back(book, payment.uses),
            person=ASSUMED,
            label="",
            level=level,
            restricted="",
        )
        return
    yield ReviewReleased(payment=payment_id, person=ASSUMED, reason="", label="", level=level)
    yield next_step(book, payment_id, at_ms)


def without_notes(outcome: Sequence[Seen], looked: Set[str] = frozenset()) -> list[Seen]:
    """An outcome without what is only noted for staff. looked: payments whose waits were cut short, too."""
    return [one for one in outcome if one.type != "RiskAssessed" and not _cut_short(one, looked)]


def _cut_short(one: Seen, looked: Set[str]) -> bool:
    return isinstance(one, SeenRisk) and (one.type, one.reason) in _WAITS and one.payment in looked


def _rules(drafts: Sequence[Drafted]) -> Iterator[Rules]:
    for draft in drafts:
        if draft.kind == "rules":
            body = read("rules", draft.body)
            if isinstance(body, Rules):
                yield body


def features_wanted(drafts: Sequence[Drafted]) -> tuple[str, ...]:
    """The features that the drafts ask for; a draft that is none is refused later, with its problems."""
    return tuple(sorted({name for body in _rules(drafts) for name in features_of(body)}))


def capacity_said(drafts: Sequence[Drafted]) -> int | None:
    """How many reviews a day the drafts say that the team can do: the most that one of them says."""
    return max((one.reviews.a_day for one in _rules(drafts) if one.reviews.a_day is not None), default=None)

"""What a decision does: commands of other capabilities, decided as if they came just now, all or none.

What is told to others must say nothing of the case: blocks have an id and a reason that could be anything's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from book.case import Case, Proposed
from book.overlay import overlay
from book.state import Book
from commands.attempt import applied
from commands.case_reports import open_report, report_by_ms
from commands.decision import Steps, decide
from commands.permission import may
from commands.policies import line_that_asks
from commands.quorum import Checker, missing
from commands.reviews import interested_in_release
from schemas.accounts import BlockAccount
from schemas.case_commands import ConfirmDecision, ProposeDecision
from schemas.case_reports import ReportRequired
from schemas.cases import Act, ActionName, CaseLabel
from schemas.message import Command, Event
from schemas.parties import ChangePartyStatus
from schemas.rejections import Reason, Rejection, reject
from schemas.reviews import DeclinePayment, ReleasePayment, ReviewLabel

SAYS_NOTHING = "by order of the bank"


Make = Callable[[str, Case, Act, CaseLabel, dict[str, Any]], Command]


def _block_account(case_id: str, case: Case, act: Act, label: CaseLabel, envelope: dict[str, Any]) -> Command:
    text = f"{case_id}\n{case.closing}".encode()
    name = hashlib.blake2b(text, digest_size=8, person=b"daybook block").hexdigest()
    return BlockAccount(
        account=act.of, block=name, direction="debits", authority="bank", reason=SAYS_NOTHING, **envelope
    )


def _block_party(case_id: str, case: Case, act: Act, label: CaseLabel, envelope: dict[str, Any]) -> Command:
    return ChangePartyStatus(party=act.of, status="blocked", reason=SAYS_NOTHING, **envelope)


def _release(case_id: str, case: Case, act: Act, label: CaseLabel, envelope: dict[str, Any]) -> Command:
    return ReleasePayment(payment=act.of, reason=case_id, label=_found(label), **envelope)


def _decline(case_id: str, case: Case, act: Act, label: CaseLabel, envelope: dict[str, Any]) -> Command:
    return DeclinePayment(payment=act.of, reason=case_id, label=_found(label), **envelope)


def _found(label: CaseLabel) -> ReviewLabel:
    return "" if label == "duplicate" else label


COMMAND_OF: dict[ActionName, Make] = {
    "release": _release,
    "decline": _decline,
    "block_account": _block_account,
    "block_party": _block_party,
}
"""A report is no command of another capability: see `_required`."""
CONCERNED: dict[ActionName, Callable[[Case], Sequence[str]]] = {
    "release": lambda case: case.payments,
    "decline": lambda case: case.payments,
    "block_account": lambda case: case.accounts,
    "block_party": lambda case: case.parties,
    "file_report": lambda case: ("",),
}
"""What of the case an action can be of."""


def not_of_case(case: Case, acts: Sequence[Act]) -> Rejection | None:
    """`act_not_of_case` where the case does not concern what an act is of, or an act is there twice."""
    for index, act in enumerate(acts):
        if act.of not in CONCERNED[act.action](case) or act in acts[:index]:
            return reject("act_not_of_case", act=index, action=act.action)
    return None


def refused_now(
    book: Book, command: ProposeDecision | ConfirmDecision, proposed: Proposed, at_ms: int, *, final: bool
) -> Rejection | None:
    """`decision_refused` with the first act that could not be done now; nothing is changed by asking.

    final: it is to be done now: whoever decides needs the roles for it, and where approval policy asks for
    more people than have decided, it has to go that way.
    """
    tried = overlay(book)
    case = tried.cases.by_id[command.case]
    for index, act in enumerate(proposed.acts):
        asked = _asked(command, case, act, proposed.label)
        if asked is None:
            continue
        refused: Reason | None = "not_permitted" if final and not may(tried, asked) else None
        if isinstance(asked, ReleasePayment) and proposed.person in interested_in_release(
            tried, asked.payment
        ):
            refused = "maker_cannot_check"
        if refused is None and final and _needs_more(tried, asked, proposed, at_ms):
            refused = "approval_needed"
        decision = decide(tried, asked, at_ms) if refused is None else reject(refused)
        if isinstance(decision, Rejection):
            return reject("decision_refused", act=index, action=act.action, refused=decision.reason)
        for _ in applied(tried, asked, (decision,) if isinstance(decision, Event) else decision, at_ms):
            pass
    return None


def _needs_more(book: Book, asked: Command, proposed: Proposed, at_ms: int) -> bool:
    """Whether approval policy wants others to agree than whoever confirms, who counts as one of them."""
    policy = book.in_force.policies.get(type(asked).__name__)
    line = None if policy is None else line_that_asks(book, policy, asked, at_ms)
    if line is None:
        return False
    actor = book.actors[asked.actor]
    confirmed = actor.person != proposed.person
    checkers = [Checker(actor.person, frozenset(actor.roles))] if confirmed else []
    return missing(line.line.needs, line.line.distinct_roles, checkers) > 0


def done(book: Book, command: ProposeDecision | ConfirmDecision, proposed: Proposed, at_ms: int) -> Steps:
    """What the acts do, each on what the one before it has left."""
    case = book.cases.by_id[command.case]
    for act in proposed.acts:
        asked = _asked(command, case, act, proposed.label)
        if asked is None:
            yield from _required(book, command.case, case, at_ms)
            continue
        decision = decide(book, asked, at_ms)
        assert not isinstance(decision, Rejection), f"what was tried is done: {decision}"
        yield from (decision,) if isinstance(decision, Event) else decision


def _required(book: Book, case_id: str, case: Case, at_ms: int) -> Steps:
    if open_report(case) is None:
        yield ReportRequired(case=case_id, by_ms=report_by_ms(book, at_ms))


def _asked(
    command: ProposeDecision | ConfirmDecision, case: Case, act: Act, label: CaseLabel
) -> Command | None:
    """The command of an act, in the name of who decides; None for a report."""
    make = COMMAND_OF.get(act.action)
    if make is None:
        return None
    envelope: dict[str, Any] = {
        "id": command.id,
        "book": command.book,
        "actor": command.actor,
        "issued_at_ms": command.issued_at_ms,
    }
    return make(command.case, case, act, label, envelope)

"""What is decided about how a case ends: proposed, confirmed by another person, refused; reopened, merged.

Nobody confirms what they proposed, behind whatever user.
"""

from __future__ import annotations

from book.case import HELD, QUEUED, Case, Proposed
from book.state import Book
from commands.case_access import at_work, concerning, in_state, is_about, visible
from commands.case_acts import done, not_of_case, refused_now
from commands.case_clocks import touched
from commands.case_policy import due_sooner, is_sampled, rules_of, second_person_asked
from commands.case_reports import open_report
from commands.case_staff import pushed
from commands.cases import reopened
from commands.decision import Decide, Decision, Steps
from commands.permission import permits
from schemas.case_commands import ConfirmDecision, MergeCases, ProposeDecision, RefuseDecision, ReopenCase
from schemas.case_work import QualityReviewed, ReviewQuality
from schemas.cases import CaseClosed, CaseMerged, DecisionProposed, DecisionRefused
from schemas.fields import INT64_MAX
from schemas.message import Command
from schemas.rejections import Rejection, reject


def propose_decision(book: Book, command: ProposeDecision, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, not_assignee, about_oneself,
    checklist_open, act_not_of_case, decision_refused.
    """
    case = at_work(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    open_items = [one.id for one in case.checklist if one.required and one.id not in case.ticked]
    if open_items:
        return reject("checklist_open", item=open_items[0], left=len(open_items))
    if refused := not_of_case(case, command.acts):
        return refused
    person = book.actors[command.actor].person
    proposed = Proposed(book.seq, command.label, command.acts, command.actor, person)
    asked = second_person_asked(rules_of(book, case.kind), case, command.label, command.acts)
    if refused := refused_now(book, command, proposed, at_ms, final=not asked):
        return refused
    return _proposed(book, command, case, proposed, at_ms, asked=asked)


def _proposed(
    book: Book, command: ProposeDecision, case: Case, proposed: Proposed, at_ms: int, *, asked: bool
) -> Steps:
    yield from touched(command.case, case, command.actor)
    yield DecisionProposed(
        case=command.case,
        label=command.label,
        acts=command.acts,
        reason=command.reason,
        proposer=command.actor,
        person=proposed.person,
        confirmed=not asked,
    )
    if not asked:
        yield from done(book, command, proposed, at_ms)
        yield _closed(book, command.case, case, proposed, (proposed.person,))


def confirm_decision(book: Book, command: ConfirmDecision, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, proposal_changed, about_oneself,
    second_person_needed, proposer_not_permitted, decision_refused.
    """
    case = _awaiting(book, command)
    if isinstance(case, Rejection):
        return case
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    proposed = case.proposed
    assert proposed is not None, "what awaits a second person is proposed"
    person = book.actors[command.actor].person
    if proposed.person == person:
        return reject("second_person_needed", person=person)
    if not permits(book, proposed.proposer, ProposeDecision):
        return reject("proposer_not_permitted")
    if refused := refused_now(book, command, proposed, at_ms, final=True):
        return refused
    return _confirmed(book, command, case, proposed, at_ms)


def _confirmed(book: Book, command: ConfirmDecision, case: Case, proposed: Proposed, at_ms: int) -> Steps:
    persons = (proposed.person, book.actors[command.actor].person)
    yield from done(book, command, proposed, at_ms)
    yield _closed(book, command.case, case, proposed, persons)


def _closed(book: Book, case_id: str, case: Case, proposed: Proposed, persons: tuple[str, ...]) -> CaseClosed:
    return CaseClosed(
        case=case_id,
        kind=case.kind,
        subject=case.subject,
        label=proposed.label,
        acts=proposed.acts,
        persons=persons,
        alerts=tuple(case.alerts),
        payments=case.payments,
        amounts=dict(case.amounts),
        opened_ms=case.opened_ms,
        closing=case.closing + 1,
        sampled=is_sampled(rules_of(book, case.kind), case_id, case.closing + 1),
    )


def refuse_decision(book: Book, command: RefuseDecision, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, proposal_changed, about_oneself."""
    case = _awaiting(book, command)
    if isinstance(case, Rejection):
        return case
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    return DecisionRefused(
        case=command.case,
        proposal=command.proposal,
        reason=command.reason,
        person=book.actors[command.actor].person,
    )


def _awaiting(book: Book, command: ConfirmDecision | RefuseDecision) -> Case | Rejection:
    case = visible(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if refused := in_state(case, ("awaiting_second_person",)):
        return refused
    assert case.proposed is not None, "what awaits a second person is proposed"
    return case if case.proposed.seq == command.proposal else reject("proposal_changed")


def reopen_case(book: Book, command: ReopenCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, case_merged, about_oneself."""
    case = visible(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if refused := in_state(case, ("closed",)):
        return refused
    if case.merged_into:
        return reject("case_merged")
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    return _reopening(book, command, case, at_ms)


def _reopening(book: Book, command: ReopenCase, case: Case, at_ms: int) -> Steps:
    yield reopened(book, command.case, case, at_ms, reason=command.reason)
    yield from pushed(book, command.case, at_ms)


def review_quality(book: Book, command: ReviewQuality, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, not_sampled (or not closed any more),
    second_person_needed (who decided on it).
    """
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if not case.sampled:
        return reject("not_sampled")
    person = book.actors[command.actor].person
    if person in case.closers:
        return reject("second_person_needed", person=person)
    return _reviewed(book, command, case, person, at_ms)


def _reviewed(book: Book, command: ReviewQuality, case: Case, person: str, at_ms: int) -> Steps:
    assert case.label is not None, "what is closed has a label"
    yield QualityReviewed(
        case=command.case,
        closing=case.closing,
        label=case.label,
        found=command.found,
        finding=command.finding,
        person=person,
    )
    if command.found == "overturned":
        yield reopened(book, command.case, case, at_ms, reason=command.finding)
        yield from pushed(book, command.case, at_ms)


def merge_cases(book: Book, command: MergeCases, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found (either), case_state_conflict (either is closed),
    nothing_to_change (they are one), people_differ, about_oneself, report_open.
    """
    case, other = (visible(book, one, command.actor) for one in (command.case, command.into))
    if isinstance(case, Rejection):
        return case
    if isinstance(other, Rejection):
        return other
    for one in (case, other):
        if refused := in_state(one, (*QUEUED, *HELD)):
            return refused
    if command.case == command.into:
        return reject("nothing_to_change")
    if set(case.people) != set(other.people):
        return reject("people_differ")
    if is_about(book, case, command.actor) or is_about(book, other, command.actor):
        return reject("about_oneself")
    if open_report(case) is not None:
        return reject("report_open")
    priority = max(case.priority, other.priority)
    return CaseMerged(
        case=command.case,
        into=command.into,
        reason=command.reason,
        alerts=tuple(case.alerts),
        parties=tuple(one for one in case.parties if one not in other.parties),
        accounts=tuple(one for one in case.accounts if one not in other.accounts),
        payments=tuple(one for one in case.payments if one not in other.payments),
        priority=priority,
        amounts=_together(other.amounts, case.amounts),
        due=due_sooner(book, other, priority, at_ms),
        lapsed=other.status == "awaiting_second_person",
    )


def _together(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {
        currency: min(INT64_MAX, one.get(currency, 0) + other.get(currency, 0))
        for currency in dict.fromkeys((*one, *other))
    }


DECIDE: dict[type[Command], Decide] = {
    ProposeDecision: propose_decision,
    ConfirmDecision: confirm_decision,
    RefuseDecision: refuse_decision,
    ReopenCase: reopen_case,
    MergeCases: merge_cases,
    ReviewQuality: review_quality,
}

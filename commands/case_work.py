"""What is decided about the work on a case: waiting, the checklist, notes, papers, links, who may see it."""

from __future__ import annotations

from book.case import HELD, QUEUED
from book.state import Book
from commands.case_access import at_work, concerning, in_state, is_about, visible
from commands.case_clocks import running, stands_still, touched
from commands.case_policy import due_sooner
from commands.cases import fresh, owners, unknown
from commands.decision import Decide, Decision
from schemas.case_work import (
    AddCaseNote,
    AttachToCase,
    CaseAttached,
    CaseLinked,
    CaseNoteAdded,
    CasePrioritised,
    CaseRestricted,
    CaseResumed,
    CaseWaiting,
    ItemTicked,
    LinkToCase,
    PauseCase,
    PrioritiseCase,
    RestrictCase,
    ResumeCase,
    TickItem,
)
from schemas.cases import CaseStatus
from schemas.rejections import Rejection, reject

ONGOING = (*QUEUED, *HELD)
OPEN_TO_LINKS: tuple[CaseStatus, ...] = (*QUEUED, "in_progress", "waiting")
"""Not while a decision is proposed, which is about what the case concerned then."""


def pause_case(book: Book, command: PauseCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, not_assignee, about_oneself,
    expiry_in_past.
    """
    case = at_work(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if command.until_ms is not None and command.until_ms <= at_ms:
        return reject("expiry_in_past", expires_at_ms=command.until_ms, at=at_ms)
    return (
        *touched(command.case, case, command.actor),
        CaseWaiting(
            case=command.case,
            reason=command.reason,
            until_ms=command.until_ms,
            due=stands_still(book, case, at_ms),
        ),
    )


def resume_case(book: Book, command: ResumeCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, not_assignee, about_oneself."""
    case = at_work(book, command.case, command.actor, ("waiting",))
    if isinstance(case, Rejection):
        return case
    return CaseResumed(case=command.case, due=running(book, case, at_ms))


def waited(book: Book, rest: str, due_ms: int) -> CaseResumed:
    """The timer of a case that waits: it goes on."""
    return CaseResumed(case=rest, due=running(book, book.cases.by_id[rest], due_ms))


def tick_item(book: Book, command: TickItem, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, not_assignee, about_oneself,
    item_not_found, nothing_to_change.
    """
    case = at_work(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if all(one.id != command.item for one in case.checklist):
        return reject("item_not_found", item=command.item)
    if (command.item in case.ticked) == command.done:
        return reject("nothing_to_change")
    ticked = ItemTicked(case=command.case, item=command.item, done=command.done, note=command.note)
    return *touched(command.case, case, command.actor), ticked


def add_case_note(book: Book, command: AddCaseNote, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself. Also where it is closed."""
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    return (
        *touched(command.case, case, command.actor),
        CaseNoteAdded(case=command.case, text=command.text),
    )


def attach_to_case(book: Book, command: AttachToCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, already_attached. Also where it is closed."""
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if command.digest in case.attached:
        return reject("already_attached")
    attached = CaseAttached(
        case=command.case,
        digest=command.digest,
        name=command.name,
        media_type=command.media_type,
        size=command.size,
    )
    return *touched(command.case, case, command.actor), attached


def link_to_case(book: Book, command: LinkToCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found (any of them), case_state_conflict, about_oneself,
    party_not_found, account_not_found, payment_not_found, nothing_to_change.
    """
    case = visible(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    for name in command.cases:
        other = visible(book, name, command.actor)
        if isinstance(other, Rejection):
            return other
    if refused := in_state(case, OPEN_TO_LINKS):
        return refused
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    if refused := unknown(book, command.parties, command.accounts, command.payments):
        return refused
    linked = CaseLinked(
        case=command.case,
        parties=fresh(case.parties, owners(book, command.parties, command.accounts, command.payments)),
        accounts=fresh(case.accounts, command.accounts),
        payments=fresh(case.payments, command.payments),
        cases=fresh((*case.cases, command.case), command.cases),
    )
    if not (linked.parties or linked.accounts or linked.payments or linked.cases):
        return reject("nothing_to_change")
    return *touched(command.case, case, command.actor), linked


def restrict_case(book: Book, command: RestrictCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, actor_not_found, nothing_to_change."""
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if refused := unknown(book, (), (), (), command.people):
        return refused
    people = fresh((), command.people)
    if set(people) == set(case.people):
        return reject("nothing_to_change")
    return CaseRestricted(case=command.case, before=case.people, people=people)


def prioritise_case(book: Book, command: PrioritiseCase, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, case_state_conflict, about_oneself, nothing_to_change."""
    case = visible(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if refused := in_state(case, ONGOING):
        return refused
    if is_about(book, case, command.actor):
        return reject("about_oneself")
    if command.priority == case.priority:
        return reject("nothing_to_change")
    return CasePrioritised(
        case=command.case,
        before=case.priority,
        priority=command.priority,
        reason=command.reason,
        due=due_sooner(book, case, command.priority, at_ms),
    )


DECIDE: dict[type, Decide] = {
    PauseCase: pause_case,
    ResumeCase: resume_case,
    TickItem: tick_item,
    AddCaseNote: add_case_note,
    AttachToCase: attach_to_case,
    LinkToCase: link_to_case,
    RestrictCase: restrict_case,
    PrioritiseCase: prioritise_case,
}

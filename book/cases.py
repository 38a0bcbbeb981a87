"""What changes cases: opened, joined by alerts, with somebody, decided, closed, reopened, merged."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any

from book.case import HELD, NEXT, QUEUED, Case, Proposed, Taken, place_of
from book.state import Book
from schemas.cases import (
    AlertsJoined,
    CaseAlert,
    CaseAssigned,
    CaseClosed,
    CaseEscalated,
    CaseMerged,
    CaseOpened,
    CaseReopened,
    CaseReturned,
    CaseStatus,
    CaseTouched,
    DecisionProposed,
    DecisionRefused,
    Due,
    SlaBreached,
)


def touch_timer(case: str) -> str:
    """The id of the timer of a case that nobody has touched."""
    return f"case_touch\n{case}"


def close_timer(case: str) -> str:
    """The id of the timer of a case that is to be closed."""
    return f"case_close\n{case}"


def step_timer(case: str) -> str:
    """The id of the timer of a late case's next step."""
    return f"case_step\n{case}"


def wait_timer(case: str) -> str:
    """The id of the timer of a case that waits for a time."""
    return f"case_wait\n{case}"


def report_timer(case: str) -> str:
    """The id of the timer of a case's report."""
    return f"case_report\n{case}"


def moves(book: Book, case_id: str, case: Case, status: CaseStatus, assignee: str) -> None:
    """The case is in another state, with somebody or nobody; queue and loads follow."""
    assert status in NEXT[case.status] or case.status == status, f"{case.status} is not followed by {status}"
    cases = book.cases
    if case.status == "waiting":
        book.timers.remove(wait_timer(case_id))
    elif case.assignee:
        left = cases.load[case.assignee] - 1
        if left:
            cases.load[case.assignee] = left
        else:
            del cases.load[case.assignee]
    case.status, case.assignee = status, assignee
    if assignee and status != "waiting":
        cases.load[assignee] = cases.load.get(assignee, 0) + 1
    lines_up(book, case_id, case)
    assert bool(assignee) == (status in HELD), "a case is with somebody or it is not"


def lines_up(book: Book, case_id: str, case: Case) -> None:
    """Its place in the queue is where it belongs, among those that ask for the same skill."""
    cases = book.cases
    stood = cases.queue.pop(case_id, None)
    if stood is not None:
        line = cases.lines[case.skill]
        del line[bisect_left(line, stood)]
        if not line:
            del cases.lines[case.skill]
    if case.status in QUEUED:
        place = place_of(case_id, case)
        cases.queue[case_id] = place
        insort(cases.lines.setdefault(case.skill, []), place)


def clocks(book: Book, case_id: str, case: Case, due: Due) -> None:
    """Its clocks run as the event says; what has run out does not run again."""
    case.due = due
    _runs(book, touch_timer(case_id), None if case.touch_late else due.touch_by_ms)
    _runs(book, close_timer(case_id), None if case.close_late else due.close_by_ms)
    lines_up(book, case_id, case)


def stopped(book: Book, case_id: str, case: Case) -> None:
    """Nothing of it is due any more."""
    clocks(book, case_id, case, Due())
    _steps(book, case_id, case, None)


def _runs(book: Book, timer: str, due_ms: int | None) -> None:
    if due_ms is None:
        book.timers.remove(timer)
    else:
        book.timers.set(timer, due_ms)


def case_opened(book: Book, event: CaseOpened) -> None:
    """The case is in the queue."""
    assert event.case not in book.cases.by_id, "a case is opened once"
    case = Case(
        kind=event.kind,
        subject=event.subject,
        opened_ms=event.at,
        started_ms=event.at,
        priority=event.priority,
        skill=event.skill,
        parties=event.parties,
        accounts=event.accounts,
        payments=event.payments,
        people=event.people,
        checklist=event.checklist,
        due=event.due,
    )
    book.cases.by_id[event.case] = case
    clocks(book, event.case, case, event.due)


def alerts_joined(book: Book, event: AlertsJoined) -> None:
    """The case is about more."""
    case = book.cases.by_id[event.case]
    for one in event.alerts:
        case.alerts.append(CaseAlert(one.id, one.source, one.kind, one.version, one.movement))
        book.cases.alerts[one.id] = event.case
    _concerns(book, event.case, case, event)


def _concerns(book: Book, case_id: str, case: Case, event: AlertsJoined | CaseMerged) -> None:
    case.parties += event.parties
    case.accounts += event.accounts
    case.payments += event.payments
    case.priority = event.priority
    case.amounts = dict(event.amounts)
    if event.lapsed:
        case.proposed = None
        moves(book, case_id, case, "in_progress", case.assignee)
    clocks(book, case_id, case, event.due)


def case_assigned(book: Book, event: CaseAssigned) -> None:
    """Somebody has it; a proposal of somebody before stands no more."""
    case = book.cases.by_id[event.case]
    case.proposed = None
    moves(book, event.case, case, "in_progress", event.to)
    clocks(book, event.case, case, event.due)
    if event.team and event.how != "handed_over":
        book.cases.taken[event.team] = Taken(event.day, event.taken)


def case_touched(book: Book, event: CaseTouched) -> None:
    """The first clock has stopped."""
    case = book.cases.by_id[event.case]
    due = case.due
    clocks(book, event.case, case, Due(close_by_ms=due.close_by_ms, left_ms=due.left_ms, band=due.band))


def case_returned(book: Book, event: CaseReturned) -> None:
    """Nobody has it."""
    case = book.cases.by_id[event.case]
    case.proposed = None
    moves(book, event.case, case, "open", "")
    clocks(book, event.case, case, event.due)


def decision_proposed(book: Book, event: DecisionProposed) -> None:
    """It waits for another person, unless it is closed at once."""
    case = book.cases.by_id[event.case]
    case.proposed = Proposed(event.seq, event.label, event.acts, event.proposer, event.person)
    moves(book, event.case, case, "awaiting_second_person", case.assignee)


def decision_refused(book: Book, event: DecisionRefused) -> None:
    """Whoever has it goes on."""
    case = book.cases.by_id[event.case]
    case.proposed = None
    moves(book, event.case, case, "in_progress", case.assignee)


def sla_breached(book: Book, event: SlaBreached) -> None:
    """The clock has run out, and does not run again until the case is reopened."""
    case = book.cases.by_id[event.case]
    if event.clock == "first_touch":
        case.touch_late = True
    else:
        case.close_late = True
        _steps(book, event.case, case, event.step_ms)
    clocks(book, event.case, case, case.due)


def case_escalated(book: Book, event: CaseEscalated) -> None:
    """It is more urgent, and perhaps another team's."""
    case = book.cases.by_id[event.case]
    case.steps, case.priority, case.team = event.step, event.priority, event.team
    clocks(book, event.case, case, event.due)
    _steps(book, event.case, case, event.step_ms)


def _steps(book: Book, case_id: str, case: Case, step_ms: int | None) -> None:
    case.step_ms = step_ms
    _runs(book, step_timer(case_id), step_ms)


def case_closed(book: Book, event: CaseClosed) -> None:
    """It is decided. What is kept is what a late alert or a second look needs."""
    case = book.cases.by_id[event.case]
    case.label = event.label
    case.closers = event.persons
    case.closing = event.closing
    case.sampled = event.sampled
    case.proposed = None
    moves(book, event.case, case, "closed", "")
    stopped(book, event.case, case)


def case_reopened(book: Book, event: CaseReopened) -> None:
    """It is in the queue again, with clocks of its own."""
    case = book.cases.by_id[event.case]
    case.started_ms = event.at
    case.touch_late = case.close_late = False
    case.steps, case.team = 0, ""
    case.sampled = False
    moves(book, event.case, case, "reopened", "")
    clocks(book, event.case, case, event.due)


def case_merged(book: Book, event: CaseMerged) -> None:
    """It is closed, and what it was about is the other's."""
    case, into = book.cases.by_id[event.case], book.cases.by_id[event.into]
    into.alerts.extend(event.alerts)
    for one in event.alerts:
        book.cases.alerts[one.id] = event.into
    _concerns(book, event.into, into, event)
    case.label = "duplicate"
    case.merged_into = event.into
    case.alerts = []
    case.proposed = None
    moves(book, event.case, case, "closed", "")
    stopped(book, event.case, case)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    CaseOpened: case_opened,
    AlertsJoined: alerts_joined,
    CaseAssigned: case_assigned,
    CaseTouched: case_touched,
    CaseReturned: case_returned,
    DecisionProposed: decision_proposed,
    DecisionRefused: decision_refused,
    SlaBreached: sla_breached,
    CaseEscalated: case_escalated,
    CaseClosed: case_closed,
    CaseReopened: case_reopened,
    CaseMerged: case_merged,
}

"""A case's clocks: that they ran out, what follows by policy, and how they go on after waiting.

What is late does not get less late by waiting: its steps go on.
"""

from __future__ import annotations

from collections.abc import Iterator

from book.case import Case
from book.state import Book
from commands.case_policy import in_band, rules_of
from commands.working_time import MINUTE_MS, due_ms, working_ms
from schemas.cases import CaseEscalated, CaseTouched, Due, SlaBreached

MOST_PRIORITY = 2**53


def touched(case_id: str, case: Case, user: str) -> Iterator[CaseTouched]:
    """The event that stops the first clock, where whoever has the case does something for the first time."""
    if case.due.touch_by_ms is not None and user == case.assignee:
        yield CaseTouched(case=case_id, late=case.touch_late)


def stands_still(book: Book, case: Case, at_ms: int) -> Due:
    """Its clocks from now on while whoever has it waits: what is left."""
    policy, due = book.in_force.cases, case.due
    if policy is None or due.close_by_ms is None or case.close_late:
        return Due(close_by_ms=due.close_by_ms, band=due.band)
    return Due(left_ms=working_ms(book, policy.hours, at_ms, due.close_by_ms), band=due.band)


def running(book: Book, case: Case, at_ms: int) -> Due:
    """Its clocks from now on when it does not wait."""
    policy, due = book.in_force.cases, case.due
    if due.left_ms is None or policy is None:
        return due
    close_by_ms = due_ms(book, policy.hours, at_ms, due.left_ms)
    return Due(touch_by_ms=due.touch_by_ms, close_by_ms=close_by_ms, band=due.band)


def not_touched(book: Book, rest: str, due_at_ms: int) -> SlaBreached:
    """The timer of a case that nobody has touched in time."""
    case = book.cases.by_id[rest]
    assert case.due.touch_by_ms is not None, "the timer is its"
    return SlaBreached(case=rest, clock="first_touch", due_ms=case.due.touch_by_ms, step_ms=None)


def not_closed(book: Book, rest: str, due_at_ms: int) -> SlaBreached:
    """The timer of a case that is not closed in time."""
    case = book.cases.by_id[rest]
    assert case.due.close_by_ms is not None, "the timer is its"
    return SlaBreached(
        case=rest,
        clock="resolution",
        due_ms=case.due.close_by_ms,
        step_ms=_step_ms(book, case, 0, case.due.close_by_ms),
    )


def escalate(book: Book, rest: str, due_at_ms: int) -> CaseEscalated:
    """The timer of a late case's next step."""
    case = book.cases.by_id[rest]
    late = rules_of(book, case.kind).late
    step = late[case.steps] if case.steps < len(late) else None  # policy has changed, and has fewer
    late_ms = case.due.close_by_ms
    priority = min(MOST_PRIORITY, case.priority + (step.priority if step else 0))
    number, step_ms = _next_step(book, case, late_ms, due_at_ms)
    return CaseEscalated(
        case=rest,
        step=number,
        priority=priority,
        team=(step.team if step else "") or case.team,
        due=in_band(book, case, priority),
        step_ms=step_ms,
    )


def _next_step(book: Book, case: Case, late_ms: int | None, after_ms: int) -> tuple[int, int | None]:
    """How many steps are behind the case now, and when the next one is: strictly after this one, whatever
    policy says now. What another policy would have done by then is passed over.
    """
    following = case.steps + 1
    if late_ms is not None:
        for number in range(following, len(rules_of(book, case.kind).late)):
            step_ms = _step_ms(book, case, number, late_ms)
            if step_ms is not None and step_ms > after_ms:
                return number, step_ms
    return following, None


def _step_ms(book: Book, case: Case, number: int, late_ms: int) -> int | None:
    policy, late = book.in_force.cases, rules_of(book, case.kind).late
    if policy is None or number >= len(late):
        return None
    return due_ms(book, policy.hours, late_ms, late[number].after_m * MINUTE_MS)

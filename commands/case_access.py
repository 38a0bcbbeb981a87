"""Who may see a case and act on it, beyond what roles say: the named where it is need-to-know, whoever has it
where it is work, and nobody where it is about themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

from book.case import Case
from book.state import Book
from schemas.cases import CaseStatus
from schemas.rejections import Rejection, reject

TO_WORK_ON: tuple[CaseStatus, ...] = ("in_progress",)


def sees(case: Case, user: str) -> bool:
    """Whether a user may know of the case."""
    return not case.people or user in case.people or user == case.assignee


def visible(book: Book, case_id: str, user: str) -> Case | Rejection:
    """The case; `case_not_found` also where the user may not know of it: nothing tells these apart."""
    case = book.cases.by_id.get(case_id)
    if case is None or not sees(case, user):
        return reject("case_not_found")
    return case


def is_about(book: Book, case: Case, user: str) -> bool:
    """Whether the person behind the user is behind a party that the case concerns; a party may go by the
    person's own id.
    """
    person = book.actors[user].person
    concerned = {case.subject, *case.parties}
    return person in concerned or not concerned.isdisjoint(book.cases.own.get(person, ()))


def in_state(case: Case, states: Iterable[CaseStatus]) -> Rejection | None:
    """`case_state_conflict` where the case is in none of these states."""
    return None if case.status in states else reject("case_state_conflict", status=case.status)


def concerning(book: Book, case_id: str, user: str) -> Case | Rejection:
    """The case, if this user may have to do with it: case_not_found, about_oneself."""
    case = visible(book, case_id, user)
    if isinstance(case, Rejection):
        return case
    return reject("about_oneself") if is_about(book, case, user) else case


def at_work(
    book: Book, case_id: str, user: str, states: Iterable[CaseStatus] = TO_WORK_ON
) -> Case | Rejection:
    """The case, if this user has it and it is in one of these states: case_not_found, case_state_conflict,
    not_assignee, about_oneself.
    """
    case = visible(book, case_id, user)
    if isinstance(case, Rejection):
        return case
    if refused := in_state(case, states):
        return refused
    if case.assignee != user:
        return reject("not_assignee")
    return reject("about_oneself") if is_about(book, case, user) else case

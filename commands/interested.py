"""Who has too much to do with something to say yes to it, beside the maker of the command itself.

What a case does is no way around it: who may not release a payment approves no decision that releases it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from book.case import Case
from book.state import Book
from book.waiting import Waiting
from commands.case_access import is_about, sees
from commands.reach import asked_of
from commands.reviews import interested_in_release
from schemas import case_reports, case_work
from schemas.case_commands import (
    AssignCase,
    ConfirmDecision,
    HandOverCase,
    MergeCases,
    OpenCase,
    ProposeDecision,
    RefuseDecision,
    ReopenCase,
)
from schemas.case_reports import ApproveReport
from schemas.case_work import ReviewQuality
from schemas.cases import Act
from schemas.message import Command
from schemas.reviews import ReleasePayment


def _release(book: Book, command: ReleasePayment) -> frozenset[str]:
    return interested_in_release(book, command.payment)


def _in_case(book: Book, case: Case | None) -> frozenset[str]:
    """The persons whom the case is about, and those who may not know of it."""
    if case is None:
        return frozenset()
    seeing = {one.person for user, one in book.actors.items() if sees(case, user)}
    about = {one.person for user, one in book.actors.items() if is_about(book, case, user)}
    return frozenset(about | ({one.person for one in book.actors.values()} - seeing))


def _case(book: Book, command: Any) -> frozenset[str]:
    return _in_case(book, book.cases.by_id.get(command.case))


def _open(book: Book, command: OpenCase) -> frozenset[str]:
    """There is no case yet: what it is going to be about, and who is going to see it."""
    concerned = {command.party, *command.parties} - {""}
    behind = {person for person, parties in book.cases.own.items() if not concerned.isdisjoint(parties)}
    if not command.people:
        return frozenset(concerned | behind)
    seeing = {book.actors[user].person for user in command.people if user in book.actors}
    return frozenset(concerned | behind | ({one.person for one in book.actors.values()} - seeing))


def _merge(book: Book, command: MergeCases) -> frozenset[str]:
    return _case(book, command) | _in_case(book, book.cases.by_id.get(command.into))


def _released(book: Book, acts: Iterable[Act]) -> frozenset[str]:
    """Whoever may not release one of the payments that these acts release."""
    of = [interested_in_release(book, one.of) for one in acts if one.action == "release"]
    return frozenset().union(*of)


def _propose(book: Book, command: ProposeDecision) -> frozenset[str]:
    return _case(book, command) | _released(book, command.acts)


def _proposed(book: Book, command: ConfirmDecision | RefuseDecision) -> frozenset[str]:
    """What is proposed now; who proposed it agrees to it once."""
    case = book.cases.by_id.get(command.case)
    found = _in_case(book, case)
    if case is None or case.proposed is None:
        return found
    return found | {case.proposed.person} | _released(book, case.proposed.acts)


def _quality(book: Book, command: ReviewQuality) -> frozenset[str]:
    """Nor who decided on the case."""
    case = book.cases.by_id.get(command.case)
    return _in_case(book, case) | frozenset(() if case is None else case.closers)


def _report(book: Book, command: ApproveReport) -> frozenset[str]:
    """Nor who wrote the report."""
    case = book.cases.by_id.get(command.case)
    written = () if case is None or case.report is None else case.report.persons
    return _in_case(book, case) | frozenset(written)


INTERESTED: dict[type[Command], Callable[[Book, Any], frozenset[str]]] = {
    ReleasePayment: _release,
    **dict.fromkeys(
        (*case_work.COMMANDS, *case_reports.COMMANDS, AssignCase, HandOverCase, ReopenCase), _case
    ),
    OpenCase: _open,
    MergeCases: _merge,
    ProposeDecision: _propose,
    ConfirmDecision: _proposed,
    RefuseDecision: _proposed,
    ReviewQuality: _quality,
    ApproveReport: _report,
}
"""Commands of cases that name none are not here: which case is next, nobody knows before."""


def interested(book: Book, waiting: Waiting) -> frozenset[str]:
    """The persons who may not approve what waits, whatever roles they have."""
    asked = asked_of(waiting)
    find = INTERESTED.get(type(asked))
    return frozenset() if find is None else find(book, asked)

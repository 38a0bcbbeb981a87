"""What changes cases while somebody works on them, and their reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.case import Report
from book.cases import clocks, moves, report_timer, wait_timer
from book.state import Book
from schemas.case_reports import (
    ReportApproved,
    ReportDrafted,
    ReportFiled,
    ReportOverdue,
    ReportRequired,
    ReportSentBack,
)
from schemas.case_work import (
    CaseAttached,
    CaseLinked,
    CaseNoteAdded,
    CasePrioritised,
    CaseRestricted,
    CaseResumed,
    CaseWaiting,
    ItemTicked,
    QualityReviewed,
)


def case_waiting(book: Book, event: CaseWaiting) -> None:
    """Its clock stands still."""
    case = book.cases.by_id[event.case]
    moves(book, event.case, case, "waiting", case.assignee)
    clocks(book, event.case, case, event.due)
    if event.until_ms is not None:
        book.timers.set(wait_timer(event.case), event.until_ms)


def case_resumed(book: Book, event: CaseResumed) -> None:
    """It runs again."""
    case = book.cases.by_id[event.case]
    moves(book, event.case, case, "in_progress", case.assignee)
    clocks(book, event.case, case, event.due)


def item_ticked(book: Book, event: ItemTicked) -> None:
    """One thing less is to be done, or one more."""
    case = book.cases.by_id[event.case]
    rest = tuple(one for one in case.ticked if one != event.item)
    case.ticked = (*rest, event.item) if event.done else rest


def case_note_added(book: Book, event: CaseNoteAdded) -> None:
    """What was written stands in the event."""


def case_attached(book: Book, event: CaseAttached) -> None:
    """Its digest is known."""
    book.cases.by_id[event.case].attached += (event.digest,)


def case_linked(book: Book, event: CaseLinked) -> None:
    """It concerns more."""
    case = book.cases.by_id[event.case]
    case.parties += event.parties
    case.accounts += event.accounts
    case.payments += event.payments
    case.cases += event.cases
    for name in event.cases:
        book.cases.by_id[name].cases += (event.case,)


def case_restricted(book: Book, event: CaseRestricted) -> None:
    """Other people may see it."""
    book.cases.by_id[event.case].people = event.people


def case_prioritised(book: Book, event: CasePrioritised) -> None:
    """It is more urgent, or less."""
    case = book.cases.by_id[event.case]
    case.priority = event.priority
    clocks(book, event.case, case, event.due)


def quality_reviewed(book: Book, event: QualityReviewed) -> None:
    """The second look is done."""
    book.cases.by_id[event.case].sampled = False


def report_required(book: Book, event: ReportRequired) -> None:
    """Somebody has to write one."""
    book.cases.by_id[event.case].report = Report("required", event.by_ms)
    book.timers.set(report_timer(event.case), event.by_ms)


def report_drafted(book: Book, event: ReportDrafted) -> None:
    """It waits for another person."""
    case = book.cases.by_id[event.case]
    report = case.report
    if report is None or report.status == "filed":
        case.report = report = Report("drafted", event.by_ms)
        book.timers.set(report_timer(event.case), event.by_ms)
    report.status = "drafted"
    report.id = event.report
    report.draft, report.persons = event.seq, (event.person,)
    book.cases.reports[event.report] = event.case


def report_approved(book: Book, event: ReportApproved) -> None:
    """It can be filed."""
    report = _report(book, event.case)
    report.status = "approved"
    report.persons += (event.person,)


def report_sent_back(book: Book, event: ReportSentBack) -> None:
    """It has to be written anew."""
    report = _report(book, event.case)
    report.status, report.draft, report.persons = "required", 0, ()


def report_filed(book: Book, event: ReportFiled) -> None:
    """It is done."""
    report = _report(book, event.case)
    report.status, report.persons = "filed", event.persons
    book.timers.remove(report_timer(event.case))


def report_overdue(book: Book, event: ReportOverdue) -> None:
    """It is late, and still to be filed."""
    _report(book, event.case).late = True
    book.timers.remove(report_timer(event.case))


def _report(book: Book, case: str) -> Report:
    report = book.cases.by_id[case].report
    assert report is not None, "there is a report"
    return report


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    CaseWaiting: case_waiting,
    CaseResumed: case_resumed,
    ItemTicked: item_ticked,
    CaseNoteAdded: case_note_added,
    CaseAttached: case_attached,
    CaseLinked: case_linked,
    CaseRestricted: case_restricted,
    CasePrioritised: case_prioritised,
    QualityReviewed: quality_reviewed,
    ReportRequired: report_required,
    ReportDrafted: report_drafted,
    ReportApproved: report_approved,
    ReportSentBack: report_sent_back,
    ReportFiled: report_filed,
    ReportOverdue: report_overdue,
}

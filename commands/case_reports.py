"""What is decided about suspicious activity reports: drafted, approved by another person, filed, overdue."""

from __future__ import annotations

import datetime

from book.case import HELD, Case, Report
from book.state import Book
from commands.calendar import local_date, midnight_ms
from commands.case_access import concerning
from commands.decision import Decide, Decision
from schemas.case_reports import (
    ApproveReport,
    DraftReport,
    FileReport,
    ReportApproved,
    ReportDrafted,
    ReportFiled,
    ReportOverdue,
    ReportSentBack,
    SendReportBack,
)
from schemas.fields import LATEST_MS
from schemas.message import Date
from schemas.rejections import Rejection, reject

WITHIN_DAYS = 30
"""Where no policy says otherwise, as in 31 CFR 1020.320(b)(3) for a bank that knows the suspect."""


def open_report(case: Case) -> Report | None:
    """The report of a case that is not filed yet."""
    return None if case.report is None or case.report.status == "filed" else case.report


def report_by_ms(book: Book, at_ms: int) -> int:
    """Until when a report is to be filed that is required now: the end of the last day that policy gives."""
    policy = book.in_force.cases
    time_zone = book.time_zone if policy is None else policy.hours.time_zone
    today = local_date(time_zone, at_ms)
    days = (WITHIN_DAYS if policy is None else policy.report_within_days) + 1
    if (Date.max - today).days <= days:
        return LATEST_MS
    return midnight_ms(time_zone, today + datetime.timedelta(days=days))


def draft_report(book: Book, command: DraftReport, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, not_assignee (where somebody has it),
    report_exists, report_differs.
    """
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    if case.status in HELD and case.assignee != command.actor:
        return reject("not_assignee")
    report = open_report(case)
    if report is None or not report.id:
        if command.report in book.cases.reports:
            return reject("report_exists")
    elif report.id != command.report:
        return reject("report_differs")
    return ReportDrafted(
        case=command.case,
        report=command.report,
        narrative=command.narrative,
        drafter=command.actor,
        person=book.actors[command.actor].person,
        by_ms=report_by_ms(book, at_ms) if report is None else report.by_ms,
    )


def approve_report(book: Book, command: ApproveReport, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, report_state_conflict, proposal_changed,
    second_person_needed.
    """
    report = _drafted(book, command)
    if isinstance(report, Rejection):
        return report
    person = book.actors[command.actor].person
    if person in report.persons:
        return reject("second_person_needed", person=person)
    return ReportApproved(case=command.case, report=report.id, draft=command.draft, person=person)


def send_report_back(book: Book, command: SendReportBack, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, report_state_conflict, proposal_changed."""
    report = _drafted(book, command)
    if isinstance(report, Rejection):
        return report
    return ReportSentBack(
        case=command.case,
        report=report.id,
        draft=command.draft,
        reason=command.reason,
        person=book.actors[command.actor].person,
    )


def _drafted(book: Book, command: ApproveReport | SendReportBack) -> Report | Rejection:
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    report = case.report
    if report is None or report.status != "drafted":
        return reject("report_state_conflict", status="none" if report is None else report.status)
    return report if report.draft == command.draft else reject("proposal_changed")


def file_report(book: Book, command: FileReport, at_ms: int) -> Decision:
    """Rejected, in this order: case_not_found, about_oneself, report_state_conflict."""
    case = concerning(book, command.case, command.actor)
    if isinstance(case, Rejection):
        return case
    report = case.report
    if report is None or report.status != "approved":
        return reject("report_state_conflict", status="none" if report is None else report.status)
    return ReportFiled(
        case=command.case,
        report=report.id,
        reference=command.reference,
        evidence=command.evidence,
        persons=(*report.persons, book.actors[command.actor].person),
        late=report.late,
    )


def overdue(book: Book, rest: str, due_ms: int) -> ReportOverdue:
    """The timer of a report that was not filed in time."""
    report = book.cases.by_id[rest].report
    assert report is not None, "the timer is its"
    return ReportOverdue(case=rest, by_ms=report.by_ms)


DECIDE: dict[type, Decide] = {
    DraftReport: draft_report,
    ApproveReport: approve_report,
    SendReportBack: send_report_back,
    FileReport: file_report,
}

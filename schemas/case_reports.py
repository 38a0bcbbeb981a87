"""Suspicious activity reports: required, drafted, approved by another person, filed with the authority, late.
For staff only, as all of `schemas/cases.py`; that there is one is the last thing anybody outside may learn.

A case has one report at a time; when it is filed, there can be another.
"""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.case_work import Sha256
from schemas.cases import CaseNote, CaseText
from schemas.fields import Id, NewId, NoNul, Personal, Seq
from schemas.message import Command, Event

ReportStatus = Literal["required", "drafted", "approved", "filed"]
Narrative = Annotated[str, Meta(min_length=1, max_length=20_000), at.Len(1, 20_000), NoNul, Personal]
"""What is told to the authority, in words."""


class DraftReport(Command, tag="DraftReport"):
    """Write the report of a case, or write it anew as long as it is not filed.

    report: its id, the same for each new draft.
    """

    case: Id
    report: NewId
    narrative: Narrative


class ApproveReport(Command, tag="ApproveReport"):
    """Agree, as another person, with a draft. draft: seq of its `ReportDrafted`."""

    case: Id
    draft: Seq


class SendReportBack(Command, tag="SendReportBack"):
    """Disagree with a draft."""

    case: Id
    draft: Seq
    reason: CaseNote


class FileReport(Command, tag="FileReport"):
    """Say that an approved report has gone to the authority. reference: that it gave the report.

    evidence: digest of the pack that went with it.
    """

    case: Id
    reference: Annotated[str, Meta(min_length=1, max_length=100), at.Len(1, 100), NoNul]
    evidence: Sha256


class ReportRequired(Event, tag="ReportRequired"):
    """By decision, there is to be a report. by_ms: to be filed before then."""

    case: str
    by_ms: int


class ReportDrafted(Event, tag="ReportDrafted"):
    """A report is written and waits for approval. by_ms: as before, or from now on if nothing required it."""

    case: str
    report: str
    narrative: Annotated[str, Personal]
    drafter: str
    person: str
    by_ms: int


class ReportApproved(Event, tag="ReportApproved"):
    """Another person has agreed with the draft."""

    case: str
    report: str
    draft: int
    person: str


class ReportSentBack(Event, tag="ReportSentBack"):
    """Somebody has not agreed with the draft."""

    case: str
    report: str
    draft: int
    reason: CaseText
    person: str


class ReportFiled(Event, tag="ReportFiled"):
    """The authority has it. persons: who wrote it, who agreed, who filed it."""

    case: str
    report: str
    reference: str
    evidence: str
    persons: tuple[str, ...]
    late: bool


class ReportOverdue(Event, tag="ReportOverdue"):
    """A report was not filed in time. by_ms: until when it should have been."""

    case: str
    by_ms: int


COMMANDS = (DraftReport, ApproveReport, SendReportBack, FileReport)
EVENTS = (
    ReportRequired,
    ReportDrafted,
    ReportApproved,
    ReportSentBack,
    ReportFiled,
    ReportOverdue,
)

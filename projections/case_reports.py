"""`case_reports`, what is filed with the authority about cases; `case_reviews`, what second looks found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.cases import insert
from projections.copying import instant
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.case_reports import (
    ReportApproved,
    ReportDrafted,
    ReportFiled,
    ReportOverdue,
    ReportRequired,
    ReportSentBack,
)
from schemas.case_work import QualityReviewed

REPORTS = Table(
    "case_reports",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        # Seq of the event that it began with: required, or drafted where nothing required it.
        ("began", "bigint NOT NULL"),
        ("report", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("file_by", "timestamptz NOT NULL"),
        # Seq of the newest draft.
        ("draft", "bigint"),
        ("drafter", "text NOT NULL"),
        ("persons", "text[] NOT NULL"),
        ("late", "boolean NOT NULL"),
        ("reference", "text NOT NULL"),
        ("evidence", "text NOT NULL"),
        ("filed_at", "timestamptz"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "case_id", "began"),
    indexes=(Index("case_reports_due", "(book, file_by) WHERE status <> 'filed'"),),
)
REVIEWS = Table(
    "case_reviews",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("closing", "integer NOT NULL"),
        ("label", "text NOT NULL"),
        ("found", "text NOT NULL"),
        ("finding", "text NOT NULL"),
        ("person", "text NOT NULL"),
        ("reviewed_by", "text NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "case_id", "closing"),
    personal=("finding",),
)
TABLES = (REPORTS, REVIEWS)

_REVIEW = insert(REVIEWS)
_OPEN = "book = %(book)s AND case_id = %(case)s AND status <> 'filed'"
_BEGUN = (
    "INSERT INTO {schema}.case_reports SELECT %(book)s, %(case)s, %(seq)s, '', 'required', "
    "%(by)s::timestamptz, NULL, '', '{{}}', FALSE, '', '', NULL, %(seq)s "
    f"WHERE NOT EXISTS (SELECT FROM {{schema}}.case_reports WHERE {_OPEN})"
)
_AGREED = (
    "UPDATE {schema}.case_reports SET status = 'approved', persons = persons || %(by)s::text, "
    f"seq = %(seq)s WHERE {_OPEN}"
)


def changes(batch: Batch) -> Iterator[Change]:
    """A statement an event or two. A case has at most one report that is not filed."""
    for event in batch.others:
        match event:
            case ReportRequired():
                yield Execute(_BEGUN, [_of(event, by=instant(event.by_ms))])
            case ReportDrafted():
                yield Execute(_BEGUN, [_of(event, by=instant(event.by_ms))])
                drafted = {"report": event.report, "draft": event.seq, "drafter": event.drafter}
                yield _set(event, status="drafted", persons=[event.person], **drafted)
            case ReportApproved():
                yield Execute(_AGREED, [_of(event, by=event.person)])
            case ReportSentBack():
                yield _set(event, status="required", draft=None, drafter="", persons=[])
            case ReportFiled():
                filed = {"reference": event.reference, "evidence": event.evidence, "late": event.late}
                persons = list(event.persons)
                yield _set(event, status="filed", persons=persons, filed_at=instant(event.at), **filed)
            case ReportOverdue():
                yield _set(event, late=True)
            case QualityReviewed():
                found = (event.label, event.found, event.finding, event.person, event.actor)
                row = (event.book, event.case, event.closing, *found, instant(event.at), event.seq)
                yield Execute(_REVIEW, [row])
            case _:
                pass


def _of(event: Any, **more: Any) -> dict[str, Any]:
    return {"book": event.book, "case": event.case, "seq": event.seq, **more}


def _set(event: Any, **columns: Any) -> Change:
    """Change the report of the case that is not filed."""
    sets = ", ".join(f"{name} = %({name})s" for name in columns)
    statement = f"UPDATE {{schema}}.case_reports SET {sets}, seq = %(seq)s WHERE {_OPEN}"
    return Execute(statement, [_of(event, **columns)])

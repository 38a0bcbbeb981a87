"""What the queries about cases answer with: a struct a row, the same names as the columns."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec


class CaseRow(msgspec.Struct, frozen=True):
    """A case. assignee: empty where nobody has it.   people: who may see it; everybody where it is empty.

    amounts: at stake, by currency, minor units.   touch_by, close_by: None where no clock runs.
    left_ms: working time that is left when it no longer waits.   touch_late, close_late: a clock ran out.
    linked: other cases that have to do with it.   waits_for, waits_until: why it stands still.
    proposal: seq of what waits for a second person, found `proposed`.   label: what it was closed with last.
    closing, reopened: how often.   rank: in the queue, 1 for the first; None where it is not in it.
    """

    book: str
    case_id: str
    kind: str
    status: str
    subject: str
    title: str
    priority: int
    skill: str
    assignee: str
    team: str
    people: list[str]
    parties: list[str]
    accounts: list[str]
    payments: list[str]
    amounts: dict[str, int]
    alerts: int
    opened_at: datetime.datetime
    started_at: datetime.datetime
    touch_by: datetime.datetime | None
    close_by: datetime.datetime | None
    left_ms: int | None
    touch_late: bool
    close_late: bool
    linked: list[str]
    waits_for: str
    waits_until: datetime.datetime | None
    proposal: int | None
    proposed: str
    proposer: str
    label: str
    closers: list[str]
    closed_at: datetime.datetime | None
    closing: int
    reopened: int
    sampled: bool
    merged_into: str
    changed_at: datetime.datetime
    seq: int
    rank: int | None = None


class AlertRow(msgspec.Struct, frozen=True):
    """An alert of a case. label: what was found, while the case is closed."""

    alert: str
    case_id: str
    source: str
    kind: str
    version: int
    of_book: str
    party: str
    account: str
    payee: str
    device: str
    movement: str
    currency: str
    amount: int
    confidence: int
    figures: dict[str, Any]
    words: str
    evidence: list[dict[str, Any]]
    first_at: datetime.datetime
    at: datetime.datetime
    joined_at: datetime.datetime
    joined_seq: int
    label: str


class CheckRow(msgspec.Struct, frozen=True):
    """Something that is to be done about a case. done_by: empty where it is not done."""

    item: str
    what: str
    required: bool
    done_at: datetime.datetime | None
    done_by: str


class HistoryRow(msgspec.Struct, frozen=True):
    """What happened to a case. actor: empty for timers.   said: the event, without the bodies of alerts."""

    seq: int
    at: datetime.datetime
    actor: str
    type: str
    said: dict[str, Any]


class PaperRow(msgspec.Struct, frozen=True):
    """A paper of a case, by the digest of its bytes. size: in bytes."""

    digest: str
    name: str
    media_type: str
    size: int
    attached_at: datetime.datetime
    attached_by: str
    seq: int


class ReportRow(msgspec.Struct, frozen=True):
    """A report to the authority. began: seq of its first event.   draft: seq of the newest draft.

    status: required, drafted, approved, filed.   persons: who wrote it, who agreed, who filed it.
    evidence: digest of the pack that went with it.
    """

    began: int
    report: str
    status: str
    file_by: datetime.datetime
    draft: int | None
    drafter: str
    persons: list[str]
    late: bool
    reference: str
    evidence: str
    filed_at: datetime.datetime | None


class ReviewRow(msgspec.Struct, frozen=True):
    """What a second look at a closing of the case has found. label: that it had."""

    closing: int
    label: str
    found: str
    finding: str
    person: str
    reviewed_by: str
    at: datetime.datetime


class CaseFile(msgspec.Struct, frozen=True):
    """All of a case."""

    case: CaseRow
    alerts: list[AlertRow]
    checks: list[CheckRow]
    papers: list[PaperRow]
    reports: list[ReportRow]
    reviews: list[ReviewRow]
    history: list[HistoryRow]


class PaperOf(msgspec.Struct, frozen=True):
    """A paper that the log names, as the store knows it."""

    book: str
    case_id: str
    digest: str
    size: int

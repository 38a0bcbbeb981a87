"""What is known of a case: ids and figures. The bodies of its alerts, notes and papers stand in events."""

from __future__ import annotations

import msgspec

from schemas.case_reports import ReportStatus
from schemas.cases import Act, CaseAlert, CaseKind, CaseLabel, CaseStatus, CheckItem, Due

QUEUED: tuple[CaseStatus, ...] = ("open", "reopened")
"""In the queue: nobody has it."""
HELD: tuple[CaseStatus, ...] = ("in_progress", "waiting", "awaiting_second_person")
"""Somebody has it."""
NEXT: dict[CaseStatus, tuple[CaseStatus, ...]] = {
    "open": ("in_progress", "closed"),
    "in_progress": ("in_progress", "open", "waiting", "awaiting_second_person", "closed"),
    "waiting": ("in_progress", "open", "closed"),
    "awaiting_second_person": ("in_progress", "open", "closed"),
    "closed": ("reopened",),
    "reopened": ("in_progress", "closed"),
}
"""What may follow each state. To be handed over is in progress again; merged cases are closed from any."""


class Proposed(msgspec.Struct, frozen=True, gc=False):
    """What one person wants done. seq: of the event that says so."""

    seq: int
    label: CaseLabel
    acts: tuple[Act, ...]
    proposer: str
    person: str


class Report(msgspec.Struct):
    """A suspicious activity report. by_ms: until when it is to be filed.   draft: seq of the newest.

    persons: who wrote it, who agreed, who filed it.   late: it was not filed in time.
    """

    status: ReportStatus
    by_ms: int
    id: str = ""
    draft: int = 0
    persons: tuple[str, ...] = ()
    late: bool = False


class Case(msgspec.Struct):
    """subject: a party of the book, or something else, such as `device=d1`.
    parties: of the book, that it concerns; the subject too.

    people: who may see it beside whoever has it; everybody where it is empty.
    team: who has to take it, since it was late; empty for whoever can.   steps: how many there were of that.
    started_ms: opened or reopened.   touch_late, close_late: its clock has run out.
    ticked: of its checklist.   amounts: at stake, by currency.   label: that it was closed with last.
    attached: digests of its papers.   closing: how often it was closed,
    by whom last.   sampled: is to be looked at again.
    """

    kind: CaseKind
    subject: str
    opened_ms: int
    started_ms: int
    priority: int
    skill: str
    parties: tuple[str, ...]
    accounts: tuple[str, ...]
    payments: tuple[str, ...]
    people: tuple[str, ...]
    checklist: tuple[CheckItem, ...]
    due: Due
    status: CaseStatus = "open"
    cases: tuple[str, ...] = ()
    alerts: list[CaseAlert] = []
    amounts: dict[str, int] = {}
    assignee: str = ""
    team: str = ""
    steps: int = 0
    step_ms: int | None = None
    touch_late: bool = False
    close_late: bool = False
    ticked: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    proposed: Proposed | None = None
    label: CaseLabel | None = None
    closers: tuple[str, ...] = ()
    closing: int = 0
    sampled: bool = False
    merged_into: str = ""
    report: Report | None = None


Place = tuple[bool, int, int, int, int, str]
"""Where a case stands in the queue, by which the smallest is next: what is late first; then by the urgency of
its clocks, by when it is due, by priority, by age, by its id."""
NEVER_MS = 2**62


def place_of(case_id: str, case: Case) -> Place:
    """The place of a case in the queue."""
    due = case.due
    due_ms = NEVER_MS if due.close_by_ms is None else due.close_by_ms
    late = case.touch_late or case.close_late
    return not late, due.band, due_ms, -case.priority, case.opened_ms, case_id


class Taken(msgspec.Struct, gc=False):
    """How many cases a team has had on a local day."""

    day: str
    count: int


class Cases(msgspec.Struct):
    """alerts: which case each is part of.   queue: those that nobody has, with their place.

    lines: these by skill, in order.   load: how many each user has that do not wait.   taken: by team.
    own: the parties behind each person's users, for nobody works a case about themselves.
    reports: the case of each.
    """

    by_id: dict[str, Case] = {}
    alerts: dict[str, str] = {}
    queue: dict[str, Place] = {}
    lines: dict[str, list[Place]] = {}
    load: dict[str, int] = {}
    taken: dict[str, Taken] = {}
    own: dict[str, tuple[str, ...]] = {}
    reports: dict[str, str] = {}

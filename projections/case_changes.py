"""What each event changes of the cases that it is about: columns of `cases`, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from projections.copying import instant, instant_or_null, json_text
from schemas import case_reports
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
from schemas.cases import (
    AlertsJoined,
    CaseAssigned,
    CaseClosed,
    CaseEscalated,
    CaseMerged,
    CaseReopened,
    CaseReturned,
    CaseTouched,
    DecisionProposed,
    DecisionRefused,
    Due,
    SlaBreached,
)
from schemas.message import Event

Row = dict[str, Any]


class Grown(msgspec.Struct, frozen=True):
    """A column that has grown: by so many, or by these behind those that it had."""

    by: int | list[str]

    @property
    def sign(self) -> str:
        return "+" if isinstance(self.by, int) else "||"


def due_columns(due: Due) -> Row:
    """A case's clocks."""
    return {
        "touch_by": instant_or_null(due.touch_by_ms),
        "close_by": instant_or_null(due.close_by_ms),
        "left_ms": due.left_ms,
        "band": due.band,
    }


NO_PROPOSAL: Row = {"proposal": None, "proposed": "", "proposer": ""}
NOT_WAITING: Row = {"waits_for": "", "waits_until": None}
STOPPED: Row = due_columns(Due())
Changed = Iterator[tuple[str, Row]]
"""Cases, and what has changed of each."""


def _joined(event: AlertsJoined) -> Changed:
    yield event.case, {**_concerns(event), "alerts": Grown(len(event.alerts))}


def _concerns(event: AlertsJoined | CaseMerged) -> Row:
    return {
        "priority": event.priority,
        "amounts": json_text(event.amounts),
        "parties": Grown(list(event.parties)),
        "accounts": Grown(list(event.accounts)),
        "payments": Grown(list(event.payments)),
        **due_columns(event.due),
        **({**NO_PROPOSAL, "status": "in_progress"} if event.lapsed else {}),
    }


def _assigned(event: CaseAssigned) -> Changed:
    due = due_columns(event.due)
    yield event.case, {"status": "in_progress", "assignee": event.to, **NOT_WAITING, **NO_PROPOSAL, **due}


def _touched(event: CaseTouched) -> Changed:
    yield event.case, {"touch_by": None}


def _returned(event: CaseReturned) -> Changed:
    yield event.case, {
        "status": "open", "assignee": "", **NOT_WAITING, **NO_PROPOSAL, **due_columns(event.due)
    }  # fmt: skip


def _proposed(event: DecisionProposed) -> Changed:
    yield (
        event.case,
        {
            "status": "awaiting_second_person",
            "proposal": event.seq,
            "proposed": event.label,
            "proposer": event.proposer,
        },
    )


def _refused(event: DecisionRefused) -> Changed:
    yield event.case, {"status": "in_progress", **NO_PROPOSAL}


def _breached(event: SlaBreached) -> Changed:
    yield event.case, {"touch_late" if event.clock == "first_touch" else "close_late": True}


def _escalated(event: CaseEscalated) -> Changed:
    yield event.case, {"priority": event.priority, "team": event.team, **due_columns(event.due)}


_OVER: Row = {"status": "closed", "assignee": "", **NOT_WAITING, **NO_PROPOSAL, **STOPPED}


def _closed(event: CaseClosed) -> Changed:
    yield (
        event.case,
        {
            **_OVER,
            "label": event.label,
            "closers": list(event.persons),
            "closed_at": instant(event.at),
            "closing": event.closing,
            "sampled": event.sampled,
        },
    )


def _reopened(event: CaseReopened) -> Changed:
    yield (
        event.case,
        {
            "status": "reopened",
            "team": "",
            "touch_late": False,
            "close_late": False,
            "sampled": False,
            "started_at": instant(event.at),
            "closed_at": None,
            "reopened": Grown(1),
            **due_columns(event.due),
        },
    )


def _merged(event: CaseMerged) -> Changed:
    yield (
        event.case,
        {
            **_OVER,
            "label": "duplicate",
            "closed_at": instant(event.at),
            "merged_into": event.into,
            "alerts": 0,
        },
    )
    yield event.into, {**_concerns(event), "alerts": Grown(len(event.alerts))}


def _waiting(event: CaseWaiting) -> Changed:
    yield (
        event.case,
        {
            "status": "waiting",
            "waits_for": event.reason,
            "waits_until": instant_or_null(event.until_ms),
            **due_columns(event.due),
        },
    )


def _resumed(event: CaseResumed) -> Changed:
    yield event.case, {"status": "in_progress", **NOT_WAITING, **due_columns(event.due)}


def _linked(event: CaseLinked) -> Changed:
    yield (
        event.case,
        {
            "parties": Grown(list(event.parties)),
            "accounts": Grown(list(event.accounts)),
            "payments": Grown(list(event.payments)),
            "linked": Grown(list(event.cases)),
        },
    )
    for one in event.cases:
        yield one, {"linked": Grown([event.case])}


def _restricted(event: CaseRestricted) -> Changed:
    yield event.case, {"people": list(event.people)}


def _prioritised(event: CasePrioritised) -> Changed:
    yield event.case, {"priority": event.priority, **due_columns(event.due)}


def _reviewed(event: QualityReviewed) -> Changed:
    yield event.case, {"sampled": False}


def _noted(event: Any) -> Changed:
    """It stands in the history, or with what belongs to the case."""
    yield event.case, {}


CHANGED: dict[type[Event], Callable[[Any], Changed]] = {
    AlertsJoined: _joined,
    CaseAssigned: _assigned,
    CaseTouched: _touched,
    CaseReturned: _returned,
    DecisionProposed: _proposed,
    DecisionRefused: _refused,
    SlaBreached: _breached,
    CaseEscalated: _escalated,
    CaseClosed: _closed,
    CaseReopened: _reopened,
    CaseMerged: _merged,
    CaseWaiting: _waiting,
    CaseResumed: _resumed,
    CaseLinked: _linked,
    CaseRestricted: _restricted,
    CasePrioritised: _prioritised,
    QualityReviewed: _reviewed,
    **dict.fromkeys((ItemTicked, CaseNoteAdded, CaseAttached, *case_reports.EVENTS), _noted),
}
"""What each event changes of the cases that it is about."""

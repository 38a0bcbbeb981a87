"""`cases`: what people look into, as it is now; `case_parts.py` has what belongs to them.

Whom a case is about, its title and what people wrote are for staff who may see it: the queries of
`case_queries.py` take who asks, and `reporting` shows a case that is kept to some people without all that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from projections.copying import instant, instant_or_null, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.cases import (
    AlertsJoined,
    CaseAssigned,
    CaseClosed,
    CaseEscalated,
    CaseMerged,
    CaseOpened,
    CaseReopened,
    CaseReturned,
    CaseTouched,
    DecisionProposed,
    DecisionRefused,
    Due,
    SlaBreached,
)
from schemas.message import Event

CASES = Table(
    "cases",
    (
        ("book", "text NOT NULL"),
        ("case_id", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("subject", "text NOT NULL"),
        ("title", "text NOT NULL"),
        ("priority", "bigint NOT NULL"),
        ("skill", "text NOT NULL"),
        ("assignee", "text NOT NULL"),
        ("team", "text NOT NULL"),
        # Who may see it beside whoever has it; everybody where it is empty.
        ("people", "text[] NOT NULL"),
        ("parties", "text[] NOT NULL"),
        ("accounts", "text[] NOT NULL"),
        ("payments", "text[] NOT NULL"),
        ("amounts", "jsonb NOT NULL"),
        ("alerts", "bigint NOT NULL"),
        ("opened_at", "timestamptz NOT NULL"),
        ("started_at", "timestamptz NOT NULL"),
        ("touch_by", "timestamptz"),
        ("close_by", "timestamptz"),
        ("left_ms", "bigint"),
        ("touch_late", "boolean NOT NULL"),
        ("close_late", "boolean NOT NULL"),
        ("waits_for", "text NOT NULL"),
        # Seq of what is proposed, which another person has to confirm.
        ("proposal", "bigint"),
        ("proposed", "text NOT NULL"),
        ("proposer", "text NOT NULL"),
        ("label", "text NOT NULL"),
        ("closers", "text[] NOT NULL"),
        ("closed_at", "timestamptz"),
        ("closing", "integer NOT NULL"),
        ("reopened", "integer NOT NULL"),
        ("sampled", "boolean NOT NULL"),
        ("merged_into", "text NOT NULL"),
        ("changed_at", "timestamptz NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "case_id"),
    indexes=(
        Index("cases_queue", "(book, case_id) WHERE status IN ('open', 'reopened')"),
        Index("cases_assignee", "(book, assignee) WHERE assignee <> ''"),
        Index("cases_subject", "(book, subject)"),
    ),
    personal=("title",),
)
TABLES = (CASES,)

Row = dict[str, Any]


class Grown(msgspec.Struct, frozen=True):
    """A column that has grown: by so many, or by these behind those that it had."""

    by: int | list[str]

    @property
    def sign(self) -> str:
        return "+" if isinstance(self.by, int) else "||"


def insert(table: Table) -> str:
    """The statement that makes a row."""
    names = ", ".join(name for name, _ in table.columns)
    values = ", ".join("%s::jsonb" if kind.startswith("jsonb") else "%s" for _, kind in table.columns)
    return f"INSERT INTO {{schema}}.{table.name} ({names}) VALUES ({values})"


_INSERT = insert(CASES)


def changes(batch: Batch) -> Iterator[Change]:
    """A statement an event: people work cases, so there are few."""
    for event in batch.others:
        if type(event) is CaseOpened:
            yield Execute(_INSERT, [_opened(event)])
            continue
        change = CHANGED.get(type(event))
        if change is not None:
            for case, row in change(event):
                yield _update(event, case, row)


def _update(event: Event, case: str, row: Row) -> Change:
    row = {**row, "changed_at": instant(event.at), "seq": event.seq}
    sets, values = [], []
    for name, value in row.items():
        if isinstance(value, Grown):
            sets.append(f"{name} = {name} {value.sign} %s")
            values.append(value.by)
        else:
            sets.append(f"{name} = %s::jsonb" if name == "amounts" else f"{name} = %s")
            values.append(value)
    statement = f"UPDATE {{schema}}.cases SET {', '.join(sets)} WHERE book = %s AND case_id = %s"
    return Execute(statement, [(*values, event.book, case)])


def _opened(event: CaseOpened) -> Mapping[str, Any] | tuple[Any, ...]:
    at = instant(event.at)
    return (
        *(event.book, event.case, event.kind, "open", event.subject, event.title, event.priority),
        *(event.skill, "", "", list(event.people)),
        *(list(event.parties), list(event.accounts), list(event.payments), "{}", 0, at, at),
        *due_columns(event.due).values(),
        *(False, False, "", *NO_PROPOSAL.values(), "", [], None, 0, 0, False, "", at, event.seq),
    )


def due_columns(due: Due) -> Row:
    """A case's clocks."""
    return {
        "touch_by": instant_or_null(due.touch_by_ms),
        "close_by": instant_or_null(due.close_by_ms),
        "left_ms": due.left_ms,
    }


NO_PROPOSAL: Row = {"proposal": None, "proposed": "", "proposer": ""}
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
    yield event.case, {"status": "in_progress", "assignee": event.to, "waits_for": "", **NO_PROPOSAL, **due}


def _touched(event: CaseTouched) -> Changed:
    yield event.case, {"touch_by": None}


def _returned(event: CaseReturned) -> Changed:
    yield event.case, {
        "status": "open", "assignee": "", "waits_for": "", **NO_PROPOSAL, **due_columns(event.due)
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
    yield event.case, {"priority": event.priority, "team": event.team}


_OVER: Row = {"status": "closed", "assignee": "", "waits_for": "", **NO_PROPOSAL, **STOPPED}


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
}
"""What each event changes of the cases that it is about."""

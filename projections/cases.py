"""`cases`: what people look into, as it is now; `case_parts.py` has what belongs to them.

Whom a case is about, its title and what people wrote are for staff who may see it: the queries of
`case_queries.py` take who asks, and `reporting` shows a case that is kept to some people without all that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.case_changes import CHANGED, Grown, Row, due_columns
from projections.copying import instant
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.cases import CaseOpened
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
        # 0 for the most urgent clocks of its kind, as they were when it got them.
        ("band", "integer NOT NULL"),
        ("touch_late", "boolean NOT NULL"),
        ("close_late", "boolean NOT NULL"),
        # Other cases that have to do with it.
        ("linked", "text[] NOT NULL"),
        ("waits_for", "text NOT NULL"),
        ("waits_until", "timestamptz"),
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
    personal=("title", "waits_for"),
)
TABLES = (CASES,)


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


def _opened(event: CaseOpened) -> tuple[Any, ...]:
    at = instant(event.at)
    return (
        *(event.book, event.case, event.kind, "open", event.subject, event.title, event.priority),
        *(event.skill, "", "", list(event.people)),
        *(list(event.parties), list(event.accounts), list(event.payments), "{}", 0, at, at),
        *due_columns(event.due).values(),
        *(False, False, [], "", None, None, "", "", "", [], None, 0, 0, False, "", at, event.seq),
    )

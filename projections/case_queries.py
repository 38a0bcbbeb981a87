"""What staff ask about cases, one by one or in a queue. Whoever asks is named, and sees no case that is kept
to others, as if it were not there.
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE

MOST = 1_000


class CaseRow(msgspec.Struct, frozen=True):
    """A case. assignee: empty where nobody has it.   people: who may see it; everybody where it is empty.

    amounts: at stake, by currency, minor units.   touch_by, close_by: None where no clock runs.
    left_ms: working time that is left when it no longer waits.   touch_late, close_late: a clock ran out.
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
    waits_for: str
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


class CaseFile(msgspec.Struct, frozen=True):
    """All of a case."""

    case: CaseRow
    alerts: list[AlertRow]
    checks: list[CheckRow]
    history: list[HistoryRow]


_NAMES = tuple(one.name for one in msgspec.structs.fields(CaseRow) if one.name != "rank")
_ROW = ", ".join(f"c.{name}" for name in _NAMES)
SEEN = "(cardinality(c.people) = 0 OR %(viewer)s = ANY(c.people) OR c.assignee = %(viewer)s)"
"""Whether the viewer may know of the case `c`; as `commands/case_access.py: sees`."""
POLICY = (
    f"(SELECT d.body FROM {LIVE}.documents AS d WHERE d.book = %(book)s AND d.kind = 'case_policy' "
    "AND d.status = 'in force' ORDER BY d.in_force_at DESC, d.seq DESC LIMIT 1)"
)
"""The case policy in force, NULL where there is none."""
_BAND = (
    "(SELECT count(*) FROM policy AS p, jsonb_array_elements(coalesce(p.body -> 'kinds', '[]')) AS k, "
    "jsonb_array_elements(coalesce(k -> 'clocks', '[]')) AS one WHERE k ->> 'kind' = c.kind "
    "AND c.priority < coalesce((one ->> 'from_priority')::bigint, 0))"
)
"""0 for the most urgent clocks of its kind, then 1 and so on."""
_QUEUED = "c.status IN ('open', 'reopened')"
_RANKED = (
    f"WITH policy AS (SELECT {POLICY} AS body), ranked AS (SELECT {_ROW}, "
    f"CASE WHEN {_QUEUED} THEN row_number() OVER (PARTITION BY {_QUEUED} "
    f"ORDER BY NOT (c.touch_late OR c.close_late), {_BAND}, c.close_by NULLS LAST, c.priority DESC, "
    f"c.opened_at, c.case_id) END AS rank FROM {LIVE}.cases AS c WHERE c.book = %(book)s AND {SEEN})"
)
"""What is late first; then by urgency, by when it is due, by priority, by age: as it is taken."""


def queue(
    session: Session,
    book: str,
    viewer: str,
    *,
    kinds: tuple[str, ...] = (),
    assignee: str | None = None,
    over: bool = False,
    limit: int = MOST,
) -> list[CaseRow]:
    """The queue as it is taken, then what somebody has, by when it is due; with `over`, closed ones too.

    assignee: only what this user has.
    """
    fits = "TRUE" if over else "c.status <> 'closed'"
    fits += " AND c.kind = ANY(%(kinds)s)" if kinds else ""
    fits += " AND c.assignee = %(assignee)s" if assignee is not None else ""
    found = _rows(
        session,
        f"{_RANKED} SELECT * FROM ranked AS c WHERE {fits} ORDER BY c.rank NULLS LAST, c.status = 'closed', "
        "NOT (c.touch_late OR c.close_late), c.close_by NULLS LAST, c.opened_at, c.case_id LIMIT %(limit)s",
        {"book": book, "viewer": viewer, "kinds": list(kinds), "assignee": assignee, "limit": limit},
    )
    return msgspec.convert(found, list[CaseRow])


def case(session: Session, book: str, viewer: str, case_id: str) -> CaseRow | None:
    """A case, None where there is none that the viewer may know of."""
    given = {"book": book, "viewer": viewer, "case": case_id}
    found = _rows(session, f"{_RANKED} SELECT * FROM ranked AS c WHERE c.case_id = %(case)s", given)
    return msgspec.convert(found[0], CaseRow) if found else None


def case_file(session: Session, book: str, viewer: str, case_id: str) -> CaseFile | None:
    """All of a case, from one snapshot; None where there is none that the viewer may know of."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = case(session, book, viewer, case_id)
        if row is None:
            return None
        return CaseFile(
            row,
            *(
                _of_case(session, kind, table, order, book, case_id)
                for kind, table, order in (
                    (AlertRow, "case_alerts", "at, joined_seq, alert"),
                    (CheckRow, "case_checks", "number"),
                    (HistoryRow, "case_history", "seq"),
                )
            ),
        )


def _of_case(session: Session, kind: Any, table: str, order: str, book: str, case_id: str) -> Any:
    names = ", ".join(one.name for one in msgspec.structs.fields(kind))
    found = _rows(
        session,
        f"SELECT {names} FROM {LIVE}.{table} WHERE book = %(book)s AND case_id = %(case)s ORDER BY {order}",
        {"book": book, "case": case_id},
    )
    return msgspec.convert(found, list[kind])


def named_like(session: Session, book: str, viewer: str, start: str) -> list[str]:
    """The ids that begin so, of cases that the viewer may know of."""
    found = _rows(
        session,
        f"SELECT c.case_id FROM {LIVE}.cases AS c WHERE c.book = %(book)s AND {SEEN} "
        "AND starts_with(c.case_id, %(start)s) ORDER BY c.case_id LIMIT 10",
        {"book": book, "viewer": viewer, "start": start},
    )
    return [one["case_id"] for one in found]


def case_of(session: Session, book: str, seq: int) -> str | None:
    """The case that an event is about."""
    found = _rows(
        session,
        f"SELECT case_id FROM {LIVE}.case_history WHERE book = %(book)s AND seq = %(seq)s LIMIT 1",
        {"book": book, "seq": seq},
    )
    return found[0]["case_id"] if found else None


def cases_of(session: Session, book: str, viewer: str, *, party: str) -> list[CaseRow]:
    """The cases that a party stands in, the newest first."""
    found = _rows(
        session,
        f"SELECT {_ROW} FROM {LIVE}.cases AS c WHERE c.book = %(book)s AND {SEEN} "
        "AND (c.subject = %(party)s OR %(party)s = ANY(c.parties)) ORDER BY c.opened_at DESC, c.case_id "
        f"LIMIT {MOST}",
        {"book": book, "viewer": viewer, "party": party},
    )
    return msgspec.convert(found, list[CaseRow])


def _rows(session: Session, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), given).fetchall()

"""What staff ask about cases, one by one or in a queue. Whoever asks is named, and sees no case that is kept
to others, as if it were not there.
"""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.case_rows import (
    AlertRow,
    CaseFile,
    CaseRow,
    CheckRow,
    HistoryRow,
    PaperOf,
    PaperRow,
    ReportRow,
    ReviewRow,
)
from projections.database import Session
from projections.layout import LIVE
from schemas import case_commands, case_reports, case_work

MOST = 1_000

_NAMES = tuple(one.name for one in msgspec.structs.fields(CaseRow) if one.name != "rank")
_ROW = ", ".join(f"c.{name}" for name in _NAMES)
SEEN = "(cardinality(c.people) = 0 OR %(viewer)s = ANY(c.people) OR c.assignee = %(viewer)s)"
"""Whether the viewer may know of the case `c`; as `commands/case_access.py: sees`."""
POLICY = (
    f"(SELECT d.body FROM {LIVE}.documents AS d WHERE d.book = %(book)s AND d.kind = 'case_policy' "
    "AND d.status = 'in force' ORDER BY d.in_force_at DESC, d.seq DESC LIMIT 1)"
)
"""The case policy in force, NULL where there is none."""
_QUEUED = "c.status IN ('open', 'reopened')"
_RANKED = (
    f"WITH ranked AS (SELECT {_ROW}, "
    f"CASE WHEN {_QUEUED} THEN row_number() OVER (PARTITION BY {_QUEUED} "
    f"ORDER BY NOT (c.touch_late OR c.close_late), c.band, c.close_by NULLS LAST, c.priority DESC, "
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
                    (PaperRow, "case_papers", "seq"),
                    (ReportRow, "case_reports", "began"),
                    (ReviewRow, "case_reviews", "closing"),
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


WORK = tuple(kind.__name__ for room in (case_commands, case_work, case_reports) for kind in room.COMMANDS)
"""The commands by which cases are worked: whoever may send none of them is told nothing of cases."""


def may(session: Session, book: str, user: str, *commands: str) -> bool:
    """Whether the user is not suspended and has a role that permits one of these, in whatever scope."""
    found = _rows(
        session,
        f"SELECT FROM {LIVE}.actors AS a JOIN {LIVE}.grants AS g USING (book, actor) "
        f"JOIN {LIVE}.roles AS r USING (book, role), jsonb_array_elements(r.permits) AS p "
        "WHERE a.book = %(book)s AND a.actor = %(user)s AND NOT a.suspended "
        "AND p ->> 'command' = ANY(%(commands)s) LIMIT 1",
        {"book": book, "user": user, "commands": ["*", *commands]},
    )
    return bool(found)


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


def papers(session: Session, book: str, case_id: str) -> list[PaperRow]:
    """The papers of a case that the viewer was found to see."""
    found: list[PaperRow] = _of_case(session, PaperRow, "case_papers", "seq", book, case_id)
    return found


def all_papers(session: Session) -> list[PaperOf]:
    """Every paper of every case of every book: what the store has to hold, whoever may read it."""
    query = f"SELECT book, case_id, digest, size FROM {LIVE}.case_papers ORDER BY book, case_id, seq"
    return msgspec.convert(_rows(session, query, {}), list[PaperOf])


def reports_due(session: Session, book: str, viewer: str) -> list[tuple[str, ReportRow]]:
    """The reports that are to be filed, of cases that the viewer may know of, with those, the next first."""
    names = ", ".join(f"r.{one.name}" for one in msgspec.structs.fields(ReportRow))
    found = _rows(
        session,
        f"SELECT r.case_id, {names} FROM {LIVE}.case_reports AS r "
        f"JOIN {LIVE}.cases AS c USING (book, case_id) "
        f"WHERE r.book = %(book)s AND r.status <> 'filed' AND {SEEN} ORDER BY r.file_by, r.case_id",
        {"book": book, "viewer": viewer},
    )
    return [(one.pop("case_id"), msgspec.convert(one, ReportRow)) for one in found]


def to_sample(session: Session, book: str, viewer: str) -> list[CaseRow]:
    """The closed cases that wait for a second look, the oldest first."""
    found = _rows(
        session,
        f"SELECT {_ROW} FROM {LIVE}.cases AS c WHERE c.book = %(book)s AND {SEEN} AND c.sampled "
        f"AND c.status = 'closed' ORDER BY c.closed_at, c.case_id LIMIT {MOST}",
        {"book": book, "viewer": viewer},
    )
    return msgspec.convert(found, list[CaseRow])


def _rows(session: Session, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), given).fetchall()

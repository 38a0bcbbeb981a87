"""What the command line asks about approvals, each answered by an index."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.layout import LIVE


class ApprovalRow(msgspec.Struct, frozen=True):
    """What waits or waited. amount: minor units, where the command has one.   missing: persons still asked.

    roles_left, persons_left: who could still help.   outcome_seq: where what came of it begins.
    """

    book: str
    approval: int
    status: str
    command_type: str
    command: str
    maker: str
    person: str
    asked: dict[str, Any]
    amount: int | None
    currency: str | None
    policy: str
    version: int
    line: str
    needs: list[dict[str, Any]]
    missing: int
    roles_left: list[str]
    persons_left: list[str]
    shown: str
    terms: dict[str, Any]
    requested_at: datetime.datetime
    expires_at: datetime.datetime
    decided_at: datetime.datetime | None
    decided_by: str
    reason: str
    outcome_seq: int | None


class AnswerRow(msgspec.Struct, frozen=True):
    """A yes or no. counts: whether a yes still does."""

    answer: str
    actor: str
    person: str
    roles: list[str]
    on_behalf_of: str
    override: bool
    counts: bool
    at: datetime.datetime


_ROW = ", ".join(f"a.{field.name}" for field in msgspec.structs.fields(ApprovalRow))
_MAY = (
    f" AND EXISTS (SELECT FROM {LIVE}.actors AS me WHERE me.book = a.book AND me.actor = %(user)s "
    "AND NOT me.suspended AND me.person <> a.person AND (me.person = ANY(a.persons_left) OR a.roles_left && ("
    f"SELECT coalesce(array_agg(g.role), '{{}}') FROM {LIVE}.grants AS g "
    f"WHERE g.book = a.book AND (g.actor = %(user)s OR EXISTS (SELECT FROM {LIVE}.delegations AS d "
    "WHERE d.book = g.book AND d.delegate = %(user)s AND d.delegator = g.actor AND d.ended_at IS NULL "
    "AND g.role = ANY(d.roles)))))"
    f" AND NOT EXISTS (SELECT FROM {LIVE}.approval_answers AS s WHERE s.book = a.book "
    "AND s.approval = a.approval AND s.counts AND s.person = me.person))"
)


def approvals(
    session: Session, book: str, *, user: str | None = None, over: bool = False, limit: int = 1_000
) -> list[ApprovalRow]:
    """What waits, the oldest first; with `over` the newest of all, too. user: only what it may decide on."""
    order = "ORDER BY approval DESC LIMIT %(limit)s" if over else "ORDER BY approval LIMIT %(limit)s"
    query = f"SELECT {_ROW} FROM {LIVE}.approvals AS a WHERE a.book = %(book)s"
    query += "" if over else " AND a.status = 'waiting'"
    query += "" if user is None else _MAY
    found = _rows(session, f"{query} {order}", {"book": book, "user": user, "limit": limit})
    return msgspec.convert(found[::-1] if over else found, list[ApprovalRow])


def approval(session: Session, book: str, number: int) -> tuple[ApprovalRow, list[AnswerRow]] | None:
    """One of them with everything that was said; None where there is none of this seq."""
    given = {"book": book, "number": number}
    found = _rows(
        session,
        f"SELECT {_ROW} FROM {LIVE}.approvals AS a WHERE a.book = %(book)s AND a.approval = %(number)s",
        given,
    )
    if not found:
        return None
    names = ", ".join(field.name for field in msgspec.structs.fields(AnswerRow))
    said = _rows(
        session,
        f"SELECT {names} FROM {LIVE}.approval_answers WHERE book = %(book)s AND approval = %(number)s "
        "ORDER BY seq",
        given,
    )
    return msgspec.convert(found[0], ApprovalRow), msgspec.convert(said, list[AnswerRow])


def _rows(session: Session, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with session.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), given).fetchall()

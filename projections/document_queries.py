"""The questions about documents: their versions, and one version whole. Each is answered by an index."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.documents import SOURCE
from projections.layout import LIVE

_HEAD = (
    "t.kind, t.document, t.version, t.status, t.published_at, t.effective_from, t.in_force_at, t.ended_at, "
    "coalesce(a.maker, t.actor) AS published_by, yes.actors AS approved_by, t.digest, t.changes, t.seq"
)


class VersionRow(msgspec.Struct):
    """A version of a document. changes: what differs from the version before it."""

    kind: str
    document: str
    version: int
    status: str
    published_at: datetime.datetime
    effective_from: datetime.datetime
    in_force_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    published_by: str
    approved_by: list[str]
    digest: str
    changes: list[dict[str, Any]]
    seq: int
    body: dict[str, Any] = {}


def versions(
    session: Session, book: str, kind: str | None = None, document: str | None = None
) -> list[VersionRow]:
    """The versions of a document, of all of a kind, or of all, without their bodies; the newest last."""
    return _rows(
        session,
        f"SELECT {_HEAD} FROM {SOURCE.format(schema=LIVE)} WHERE t.book = %s "
        "AND (%s::text IS NULL OR t.kind = %s) AND (%s::text IS NULL OR t.document = %s) "
        "ORDER BY t.kind, t.document, t.version",
        *(book, kind, kind, document, document),
    )


def version(
    session: Session, book: str, kind: str, document: str, number: int | None = None
) -> VersionRow | None:
    """A version whole, None where there is none; without a number the one in force, or else the newest."""
    found = _rows(
        session,
        f"SELECT {_HEAD}, t.body FROM {SOURCE.format(schema=LIVE)} WHERE t.book = %s AND t.kind = %s "
        "AND t.document = %s AND (%s::bigint IS NULL OR t.version = %s) "
        "ORDER BY t.status = 'in force' DESC, t.version DESC LIMIT 1",
        *(book, kind, document, number, number),
    )
    return found[0] if found else None


def _rows(session: Session, query: str, *parameters: Any) -> list[VersionRow]:
    with session.cursor(row_factory=dict_row) as cursor:
        return msgspec.convert(cursor.execute(query.encode(), parameters).fetchall(), list[VersionRow])

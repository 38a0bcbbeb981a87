"""What staff ask about flags."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row

from projections.database import Session
from projections.flags import FLAGS
from projections.layout import LIVE


class FlagRow(msgspec.Struct, frozen=True):
    """A flag. subject_id: of a payee, its key.   status: standing, cleared or expired.   score: per mille.

    model: `name@version` of the one whose score it is, or empty.   evidence: events, as book and seq.
    """

    book: str
    subject: str
    subject_id: str
    flag: str
    status: str
    score: int
    model: str
    reason: str
    evidence: list[dict[str, Any]]
    raised_by: str
    raised_at: datetime.datetime
    expires_at: datetime.datetime
    ended_at: datetime.datetime | None
    ended_by: str
    ended_reason: str
    seq: int


def flags(
    session: Session, book: str, subject_id: str | None = None, *, over: bool = False, limit: int = 1_000
) -> list[FlagRow]:
    """The flags that stand, of one subject or of all, the newest first. over: also those that are over."""
    said = "book = %(book)s"
    if subject_id is not None:
        said += " AND subject_id = %(subject_id)s"
    if not over:
        said += " AND status = 'standing'"
    columns = ", ".join(name for name, _ in FLAGS.columns)
    with session.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            f"SELECT {columns} FROM {LIVE}.flags WHERE {said} ORDER BY seq DESC LIMIT %(limit)s".encode(),
            {"book": book, "subject_id": subject_id, "limit": limit},
        ).fetchall()
    return msgspec.convert(found, list[FlagRow])

"""`business_days`: which day each book was on, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import instant
from projections.tables import Batch, Change, Execute, Table
from schemas.books import BookOpened, BusinessDateRolled

BUSINESS_DAYS = Table(
    "business_days",
    (
        ("book", "text NOT NULL"),
        ("business_date", "date NOT NULL"),
        ("began_at", "timestamptz NOT NULL"),
        ("ended_at", "timestamptz"),
        ("first_seq", "bigint NOT NULL"),
        ("last_seq", "bigint"),
    ),
    key=("book", "business_date"),
)
TABLES = (BUSINESS_DAYS,)

_END = (
    "UPDATE {schema}.business_days SET ended_at = %s::timestamptz, last_seq = %s "
    "WHERE book = %s AND business_date < %s AND ended_at IS NULL"
)
_BEGIN = "INSERT INTO {schema}.business_days VALUES (%s, %s, %s::timestamptz, NULL, %s, NULL)"


def changes(batch: Batch) -> Iterator[Change]:
    """The day before ends where the next one begins."""
    for event in batch.others:
        if isinstance(event, BookOpened | BusinessDateRolled):
            at = instant(event.at)
            yield Execute(_END, [(at, event.seq - 1, event.book, event.business_date)])
            yield Execute(_BEGIN, [(event.book, event.business_date, at, event.seq)])

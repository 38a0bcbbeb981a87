"""`limit_usage`: what is used of limits and packages, a row for each slice of time that still counts.

Beside it what a limit says: `terms_documents` has every version of products and limits, since what is left of
a limit depends on the one in force when it is asked; `limit_raises` has the raises that stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import cell, json_text, rows_of
from projections.tables import Batch, Change, Execute, Index, Stage, Staging, Table
from projections.view import BOOK, SEQ, View, shown
from schemas.limits import LimitRaised, LimitRaiseExpired
from schemas.publishing import DocumentPublished

_WHOSE = ("book", "limit_key", "counted_by", "holder")
USAGE = Table(
    "limit_usage",
    (
        ("book", "text NOT NULL"),
        ("limit_key", "text NOT NULL"),
        ("counted_by", "text NOT NULL"),
        ("holder", "text NOT NULL"),
        ("bucket", "bigint NOT NULL"),
        ("total", "bigint NOT NULL"),
        ("reserved", "bigint NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "counted_by", "holder", "limit_key", "bucket"),
    options="fillfactor=80",  # room for counts to be updated within their page
)
DOCUMENTS = Table(
    "terms_documents",
    (
        ("book", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("document", "text NOT NULL"),
        ("version", "bigint NOT NULL"),
        ("effective_from_ms", "bigint NOT NULL"),
        ("body", "jsonb NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "kind", "document", "version"),
)
RAISES = Table(
    "limit_raises",
    (
        ("book", "text NOT NULL"),
        ("limit_name", "text NOT NULL"),
        ("counted_by", "text NOT NULL"),
        ("holder", "text NOT NULL"),
        ("most", "bigint NOT NULL"),
        ("until_ms", "bigint NOT NULL"),
        ("reason", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "counted_by", "holder", "limit_name"),
    indexes=(Index("limit_raises_until", "(book, until_ms)"),),
)
TABLES = (USAGE, DOCUMENTS, RAISES)

USED = Staging(
    "staged_usage",
    'book text COLLATE "C", limit_key text COLLATE "C", counted_by text COLLATE "C", '
    'holder text COLLATE "C", bucket bigint, first bigint, total bigint, reserved bigint, seq bigint',
)
SETTLE = (
    f"""
INSERT INTO {{schema}}.limit_usage AS u ({", ".join(_WHOSE)}, bucket, total, reserved, seq)
SELECT DISTINCT ON ({", ".join(_WHOSE)}, bucket) {", ".join(_WHOSE)}, bucket, total, reserved, seq
FROM staged_usage ORDER BY {", ".join(_WHOSE)}, bucket, seq DESC
ON CONFLICT (book, counted_by, holder, limit_key, bucket)
DO UPDATE SET total = excluded.total, reserved = excluded.reserved, seq = excluded.seq
""",
    f"""
DELETE FROM {{schema}}.limit_usage AS u
USING (SELECT {", ".join(_WHOSE)}, max(first) AS first FROM staged_usage GROUP BY 1, 2, 3, 4) AS s
WHERE u.book = s.book AND u.counted_by = s.counted_by AND u.holder = s.holder
AND u.limit_key = s.limit_key AND u.bucket < s.first
""",
)
"""What slices hold after the batch; those that count no longer go."""
_PUBLISHED = (
    "INSERT INTO {schema}.terms_documents (book, kind, document, version, effective_from_ms, body, seq) "
    "VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s)"
)
_RAISED = (
    "INSERT INTO {schema}.limit_raises (book, limit_name, counted_by, holder, most, until_ms, reason, seq) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (book, counted_by, holder, limit_name) "
    "DO UPDATE SET most = excluded.most, until_ms = excluded.until_ms, reason = excluded.reason, "
    "seq = excluded.seq"
)
_EXPIRED = (
    "DELETE FROM {schema}.limit_raises "
    "WHERE book = %s AND limit_name = %s AND counted_by = %s AND holder = %s"
)


def changes(batch: Batch) -> Iterator[Change]:
    """Documents and raises as they come; of each slice only what it holds in the end."""
    for event in batch.others:
        match event:
            case DocumentPublished() if event.kind in ("product", "limits"):
                about = (event.book, event.kind, event.document, event.version, event.effective_from_ms)
                yield Execute(_PUBLISHED, [(*about, json_text(event.body), event.seq)])
            case LimitRaised():
                whose = (event.book, event.limit, event.by, event.holder)
                yield Execute(_RAISED, [(*whose, event.most, event.until_ms, event.reason, event.seq)])
            case LimitRaiseExpired():
                yield Execute(_EXPIRED, [(event.book, event.limit, event.by, event.holder)])
            case _:
                pass
    if rows := _used(batch):
        yield Stage(USED, rows)


def _used(batch: Batch) -> bytes:
    slices: dict[tuple[Any, ...], tuple[int, int, int, int]] = {}
    firsts: dict[tuple[Any, ...], int] = {}
    for event in batch.events:
        for one in getattr(event, "uses", ()):
            whose = (event.book, one.limit, one.by, one.key)
            firsts[whose] = max(one.first, firsts.get(whose, one.first))
            slices[(*whose, one.bucket)] = (one.first, one.total, one.reserved, event.seq)
    return rows_of(
        f"{cell(book)}\t{cell(limit)}\t{by}\t{cell(key)}\t{bucket}\t{firsts[book, limit, by, key]}\t"
        f"{total}\t{reserved}\t{seq}\n"
        for (book, limit, by, key, bucket), (_, total, reserved, seq) in slices.items()
    )


VIEWS = (
    View(
        "limit_usage",
        "What is used of each limit and package, a row for each slice of time that still counted at the last "
        "use. Limits in a rolling window have several slices, which add up.",
        "{schema}.limit_usage AS t",
        shown(
            {
                "book": BOOK,
                "limit_key": "document/line@version of a limit; tariff/package.period of a package.",
                "counted_by": "account, party, product, channel, corridor or counterparty.",
                "holder": "Id of the account, party, product... whose count it is.",
                "bucket": "Number of the slice: of an hour or rolling slice, a day (1 is 1 January of the "
                "year 1), or a month (year x 12 + month - 1).",
                "total": "Minor units, or a number of times, that were used in the slice.",
                "reserved": "How much of it is not final yet: held, or waiting for approval or its rail.",
                "seq": "Number of the newest event that changed it.",
            }
        ),
    ),
    View(
        "limit_raises",
        "Limits that are higher for one account or party, and until when.",
        "{schema}.limit_raises AS t",
        shown(
            {
                "book": BOOK,
                "limit_name": "document/line.",
                "counted_by": "account or party.",
                "holder": "Its id.",
                "most": "Minor units, or a number of times.",
                "until_ms": "Book time, Unix milliseconds, at which the raise is over.",
                "reason": "Why, as whoever raised it wrote.",
                "seq": SEQ,
            }
        ),
    ),
)

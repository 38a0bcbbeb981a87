"""`chart`: the chart of accounts in force, as a tree; `charts`: the versions that were published."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import json_text
from projections.tables import Batch, Change, Execute, Table
from schemas.books import BookOpened
from schemas.documents.charts import NORMAL_SIDE
from schemas.publishing import DocumentPublished, DocumentTookEffect

CHART = Table(
    "chart",
    (
        ("book", "text NOT NULL"),
        ("ledger", "text NOT NULL"),
        ("name", "text NOT NULL"),
        ("kind", "text"),
        ("parent", "text NOT NULL"),
        ("side", "text NOT NULL"),
    ),
    key=("book", "ledger"),
)
CHARTS = Table(
    "charts",
    (
        ("book", "text NOT NULL"),
        ("document", "text NOT NULL"),
        ("version", "integer NOT NULL"),
        ("lines", "jsonb NOT NULL"),
    ),
    key=("book", "document", "version"),
)
TABLES = (CHART, CHARTS)

_LINE = "INSERT INTO {schema}.chart VALUES (%s, %s, %s, %s, '', %s)"
_PUBLISHED = "INSERT INTO {schema}.charts VALUES (%s, %s, %s, %s::jsonb)"
_REMOVE = "DELETE FROM {schema}.chart WHERE book = %s"
_REPLACE = """
INSERT INTO {schema}.chart SELECT v.book, l.code, l.name, l.kind, l.parent, l.side
FROM {schema}.charts AS v, jsonb_to_recordset(v.lines)
    AS l (code text, name text, kind text, parent text, side text)
WHERE v.book = %s AND v.document = %s AND v.version = %s
"""


def changes(batch: Batch) -> Iterator[Change]:
    """A book's first chart, and each that takes the place of one."""
    for event in batch.others:
        match event:
            case BookOpened():
                yield Execute(
                    _LINE,
                    [
                        (event.book, line.ledger, line.name, line.kind, NORMAL_SIDE[line.kind])
                        for line in event.chart
                    ],
                )
            case DocumentPublished() if event.kind == "chart":
                lines = json_text(event.body["lines"])
                yield Execute(_PUBLISHED, [(event.book, event.document, event.version, lines)])
                if event.effective_from_ms <= event.at:
                    yield from _in_force(event.book, event.document, event.version)
            case DocumentTookEffect() if event.kind == "chart":
                yield from _in_force(event.book, event.document, event.version)
            case _:
                pass


def _in_force(book: str, document: str, version: int) -> Iterator[Change]:
    yield Execute(_REMOVE, [(book,)])
    yield Execute(_REPLACE, [(book, document, version)])

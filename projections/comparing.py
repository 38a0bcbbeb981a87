"""Two sets of the same tables, held against each other row by row."""

from __future__ import annotations

from typing import Any

import msgspec

from projections.database import Session, execute
from projections.read_models import TABLES
from projections.tables import Table

EXAMPLES = 5
_LONGEST = 80


class Comparison(msgspec.Struct, frozen=True):
    """A table compared. rows: of the second one.   differing: rows that are not the same, or in one only.

    examples: some of those, each with its key and what differs; personal data is not shown.
    """

    name: str
    rows: int
    differing: int
    examples: tuple[str, ...] = ()


def tables_match(session: Session, live: str, shadow: str) -> list[Comparison]:
    """Every table of two schemas, compared by key and then column by column."""
    return [_compare(session, live, shadow, table) for table in TABLES]


def _compare(session: Session, live: str, shadow: str, table: Table) -> Comparison:
    keys = ", ".join(table.key)
    both = f"FROM {live}.{table.name} AS l FULL JOIN {shadow}.{table.name} AS s USING ({keys})"
    distinct = "ROW(l.*) IS DISTINCT FROM ROW(s.*)"
    counted = execute(
        session, f"SELECT count(s.{table.key[0]}), count(*) FILTER (WHERE {distinct}) {both}"
    ).fetchone()
    assert counted is not None, "a count is a row"
    rows, differing = int(counted[0]), int(counted[1])
    if not differing:
        return Comparison(table.name, rows, 0)
    found = execute(
        session,
        f"SELECT to_jsonb(l), to_jsonb(s) {both} WHERE {distinct} ORDER BY {keys} LIMIT {EXAMPLES}",
    ).fetchall()
    return Comparison(table.name, rows, differing, tuple(_example(table, *pair) for pair in found))


def _example(table: Table, live: dict[str, Any] | None, shadow: dict[str, Any] | None) -> str:
    here = live or shadow or {}
    key = " ".join(_shown(here[name]) for name in table.key)
    if live is None:
        return f"{key}: missing"
    if shadow is None:
        return f"{key}: one too many"
    differences = [
        f"{name} is personal data" if name in table.personal
        else f"{name} is {_shown(live[name])} instead of {_shown(shadow[name])}"
        for name in shadow
        if live[name] != shadow[name]
    ]  # fmt: skip
    return f"{key}: {', '.join(differences)}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

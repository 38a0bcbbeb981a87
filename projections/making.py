"""Making changes: rows by COPY, the rest by statements, all within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from projections.database import Session, execute
from projections.layout import month_table
from projections.read_models import SETTLE, STAGINGS
from projections.tables import Change, Execute, Insert, Stage


def prepare(session: Session) -> None:
    """Set a session up to write read models."""
    # What a crash of the server may take of the last moments is projected again, for the position goes with
    # it. Only this session does without: the log may live in the same server.
    execute(session, "SET synchronous_commit = off")
    execute(session, "SET TimeZone = 'UTC'")
    for staging in STAGINGS:
        execute(session, f"CREATE TEMP TABLE {staging.name} ({staging.columns})")


def make(session: Session, schema: str, changes: Sequence[Change]) -> None:
    """Make the changes of a batch within the caller's transaction."""
    add(session, schema, changes)
    if any(isinstance(change, Stage) for change in changes):
        settle(session, schema)


def add(session: Session, schema: str, changes: Sequence[Change], *, fresh: bool = False) -> None:
    """Add rows and run statements; what is staged waits for `settle`.

    fresh: the tables were made in this transaction, so their rows can be written as if long committed.
    """
    options = " (FREEZE)" if fresh else ""
    with session.cursor() as cursor:
        for change in changes:
            match change:
                case Insert():
                    name = change.table.name
                    if change.month:
                        name = month_table(session, schema, change.table, change.month)
                    copy(cursor, f"{schema}.{name} ({change.table.names()})", change.rows, options)
                case Stage():
                    copy(cursor, change.staging.name, change.rows)
                case Execute():
                    cursor.executemany(change.statement.format(schema=schema).encode(), change.parameters)


def settle(session: Session, schema: str) -> None:
    """Bring what is staged into the tables, and forget it."""
    for statement in SETTLE:
        execute(session, statement.format(schema=schema))
    for staging in STAGINGS:
        execute(session, f"TRUNCATE {staging.name}")


def copy(cursor: psycopg.Cursor[tuple[Any, ...]], target: str, rows: bytes, options: str = "") -> None:
    """Add rows in COPY's text format."""
    with cursor.copy(f"COPY {target} FROM STDIN{options}".encode()) as stream:
        stream.write(rows)

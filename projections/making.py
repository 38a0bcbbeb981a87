"""Making changes: rows by COPY, the rest by statements, all within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from projections.database import Session, execute
from projections.layout import month_table
from projections.tables import Change, Execute, Insert, Stage


def prepare(session: Session) -> None:
    """Set a session up to write read models."""
    # What a crash of the server may take of the last moments is projected again, for the position goes with
    # it. Only this session does without: the log may live in the same server.
    execute(session, "SET synchronous_commit = off")
    execute(session, "SET TimeZone = 'UTC'")


def make(session: Session, schema: str, changes: Sequence[Change]) -> None:
    """Make the changes within the caller's transaction."""
    with session.cursor() as cursor:
        for change in changes:
            match change:
                case Insert():
                    name = change.table.name
                    if change.month:
                        name = month_table(session, schema, change.table, change.month)
                    copy(cursor, f"{schema}.{name} ({change.table.names()})", change.rows)
                case Stage():
                    staged = f"{change.staging} ({change.columns})"
                    execute(session, f"CREATE TEMP TABLE IF NOT EXISTS {staged}")
                    # A rebuild makes many batches in one transaction, so emptying at its end would not do.
                    execute(session, f"TRUNCATE {change.staging}")
                    copy(cursor, change.staging, change.rows)
                    for statement in change.statements:
                        execute(session, statement.format(schema=schema))
                case Execute():
                    cursor.executemany(change.statement.format(schema=schema).encode(), change.parameters)


def copy(cursor: psycopg.Cursor[tuple[Any, ...]], target: str, rows: bytes, options: str = "") -> None:
    """Add rows in COPY's text format."""
    with cursor.copy(f"COPY {target} FROM STDIN{options}".encode()) as stream:
        stream.write(rows)

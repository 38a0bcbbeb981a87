"""`reporting`: documented views for whoever reads with SQL, and a role that can only read them.

The schema is ours: a rebuild replaces it whole, so views and grants of others belong elsewhere. Grant
`daybook_reporting` to people's roles. The views show the read models' rows with personal data masked
and restricted details left out; the schema `daybook` itself is closed to the role. A few views tell who is
looked at: only `daybook_risk`, for risk staff, reads those, too.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Final

import msgspec
from psycopg import errors
from psycopg.sql import SQL, Literal

from engine.errors import DaybookError
from projections.database import Session, execute
from projections.view import View
from projections.views import VIEWS

SCHEMA: Final = "reporting"
ROLE: Final = "daybook_reporting"
STAFF_ROLE: Final = "daybook_risk"
"""May read what `ROLE` may, and the views that tell who is looked at."""
DIGEST: Final = hashlib.sha256(msgspec.json.encode((VIEWS, SCHEMA, ROLE, STAFF_ROLE))).hexdigest()
"""Where the one stored differs, the views are to be made anew."""


class RoleMissing(DaybookError):
    """The role of the reporting views is not there, and we may not create it."""

    advice = (
        f"As an administrator of the server run: CREATE ROLE {ROLE} NOLOGIN; "
        f"CREATE ROLE {STAFF_ROLE} NOLOGIN;"
    )


def create(session: Session, tables: str) -> None:
    """Make the views over the tables in the schema `tables`, and the role, in the caller's transaction."""
    execute(session, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    _make(session, tables)


def replace(session: Session, tables: str, old: str) -> None:
    """As `create`, but rename what is there to `old`: that waits for nobody who is reading it."""
    found = execute(session, "SELECT 1 FROM pg_namespace WHERE nspname = %s", SCHEMA).fetchone()
    if found is not None:
        execute(session, f"ALTER SCHEMA {SCHEMA} RENAME TO {old}")
    _make(session, tables)


def _make(session: Session, tables: str) -> None:
    for role in (ROLE, STAFF_ROLE):
        _make_role(session, role)
    execute(session, f"CREATE SCHEMA {SCHEMA}")
    _comment(session, f"SCHEMA {SCHEMA}", "Daybook's read models for reporting. Amounts are minor units.")
    for view in VIEWS:
        _make_view(session, view, tables)
    execute(session, f"REVOKE ALL ON SCHEMA {tables} FROM PUBLIC, {ROLE}, {STAFF_ROLE}")
    execute(session, f"GRANT USAGE ON SCHEMA {SCHEMA} TO {ROLE}, {STAFF_ROLE}")
    execute(session, f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {ROLE}, {STAFF_ROLE}")
    for view in VIEWS:
        if view.for_staff:
            execute(session, f"REVOKE ALL ON {SCHEMA}.{view.name} FROM {ROLE}")


def _make_view(session: Session, view: View, tables: str) -> None:
    columns = ", ".join(f"{column.expression} AS {column.name}" for column in view.columns)
    source = view.source.format(schema=tables)
    execute(session, f"CREATE VIEW {SCHEMA}.{view.name} AS SELECT {columns} FROM {source}")
    _comment(session, f"VIEW {SCHEMA}.{view.name}", view.comment)
    for column in view.columns:
        _comment(session, f"COLUMN {SCHEMA}.{view.name}.{column.name}", column.comment)


def _comment(session: Session, on: str, text: str) -> None:
    session.execute(SQL("COMMENT ON {} IS {}").format(SQL(on), Literal(text)))


def _make_role(session: Session, role: str) -> None:
    if execute(session, "SELECT 1 FROM pg_roles WHERE rolname = %s", role).fetchone() is not None:
        return
    # Roles belong to the whole server, so a projector of another database may be making it just now.
    try:
        with contextlib.suppress(errors.DuplicateObject, errors.UniqueViolation), session.transaction():
            execute(session, f"CREATE ROLE {role} NOLOGIN")
    except errors.InsufficientPrivilege as error:
        raise RoleMissing(f"There is no role {role}, and this user may not create it.") from error

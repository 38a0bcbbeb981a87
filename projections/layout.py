"""The schema of the read models: made whole or not at all, with a digest of its definitions and a position.

`position` has a row a partition. It moves in the transaction that changes the rows, from the offset that the
projector believes in, so that of two projectors one aborts and a killed one leaves nothing half done.
"""

from __future__ import annotations

from typing import Final

from engine.errors import DaybookError
from projections import reporting
from projections.database import Session, execute
from projections.read_models import DIGEST, TABLES
from projections.tables import Table

LIVE: Final = "daybook"
# Whoever makes or replaces the schema holds this advisory lock ("DBK", and 'R' for read models).
LOCK: Final = 0x44424B52

_ADMINISTRATION = """
CREATE TABLE {schema}.definition (digest text NOT NULL, views text NOT NULL);
CREATE TABLE {schema}.position
    (partition integer PRIMARY KEY, event_offset bigint NOT NULL, event_digest text NOT NULL)"""


class ReadModelsChanged(DaybookError):
    """The read models in the database were made by a release that defines them differently."""

    advice = "Build them anew with `daybook replay rebuild`."


def exists(session: Session, schema: str = LIVE) -> bool:
    """Whether the read models are there."""
    found = execute(session, "SELECT to_regclass(%s)", f"{schema}.position").fetchone()
    return found is not None and found[0] is not None


def create(session: Session, schema: str, *, keys: bool) -> None:
    """Make the schema within the caller's transaction. keys: False leaves bulk tables' for `add_keys`."""
    execute(session, f"CREATE SCHEMA {schema}")
    execute(session, _ADMINISTRATION.format(schema=schema))
    execute(session, f"INSERT INTO {schema}.definition VALUES (%s, %s)", DIGEST, reporting.DIGEST)
    for table in TABLES:
        execute(session, table.create(schema))
        if keys or not table.bulk:
            _add_keys(session, schema, table)


def add_keys(session: Session, schema: str) -> None:
    """Give bulk tables their keys and indexes after loading."""
    for table in TABLES:
        if table.bulk:
            _add_keys(session, schema, table)


def _add_keys(session: Session, schema: str, table: Table) -> None:
    for statement in table.keys(schema):
        execute(session, statement)


def ensure(session: Session) -> None:
    """Make what is missing. Raises ReadModelsChanged where what is there was defined differently."""
    if _is_current(session):
        return
    with session.transaction():
        execute(session, "SELECT pg_advisory_xact_lock(%s)", LOCK)
        if not exists(session):
            create(session, LIVE, keys=True)
            reporting.create(session, LIVE)
        elif not _is_current(session):
            reporting.create(session, LIVE)
            execute(session, f"UPDATE {LIVE}.definition SET views = %s", reporting.DIGEST)


def _is_current(session: Session) -> bool:
    """Whether all is there and as this release has it; False where tables or views are missing."""
    if not exists(session):
        return False
    found = execute(session, f"SELECT digest, views FROM {LIVE}.definition").fetchone()
    if found is None or found[0] != DIGEST:
        raise ReadModelsChanged("The read models were made by another release of Daybook.")
    return bool(found[1] == reporting.DIGEST)


def month_table(session: Session, schema: str, table: Table, first: str) -> str:
    """The name of the partition for the month that begins on `first`; made where it is missing.

    It is made by itself, then attached, so that nobody who reads the table has to wait. Projectors of other
    partitions meet the same new month: one makes it, and the others wait until that is committed.
    """
    year, month = first.split("-")[:2]
    name = f"{table.name}_{year}_{month}"
    if _has(session, schema, name):
        return name
    execute(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"{schema}.{name}")
    if _has(session, schema, name):
        return name
    following = f"{int(year) + int(month) // 12:04d}-{int(month) % 12 + 1:02d}-01"
    bounds = f"FOR VALUES FROM ('{first} 00:00+00') TO ('{following} 00:00+00')"
    parent = f"{schema}.{table.name}"
    execute(session, f"CREATE TABLE {schema}.{name} (LIKE {parent} INCLUDING ALL)")
    execute(session, f"ALTER TABLE {parent} ATTACH PARTITION {schema}.{name} {bounds}")
    return name


def _has(session: Session, schema: str, table: str) -> bool:
    """Asked of the catalogue: the look-up of a name may not know yet what another session committed."""
    asked = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s"
    return execute(session, asked, schema, table).fetchone() is not None

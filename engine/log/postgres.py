"""A log in PostgreSQL: a schema `daybook_log_<partition>` with one table, `pages`.

The recorder is the library's aggregate recorder with an insert of its own. The library sends rows as text of
composite arrays, 30 us a record against 4.7 with binary parameters (1,000 records a page, PostgreSQL 18), and
its application and process recorders hang in psycopg's pipeline mode on pages over about 1 MB (9.5.6).
"""

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from eventsourcing.persistence import PersistenceError, StoredEvent
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from engine.errors import DaybookError, LogCorrupt, LogLocked, LogUnavailable, NotInitialised, Uncertain

_TABLE: Final = "pages"
NAMES: Final = ("log", "alerts")
"""The logs that a partition has: the book's own, and what was noticed in it."""
_LOCK_CLASS: Final = 0x44424B  # "DBK", for the first of NAMES: the first half of the advisory lock's key,
# the partition is the second
_TRIES: Final = 10
_PAUSE_S: Final = 0.03
_CONNECT_S: Final = 5
_SILENT_MS: Final = 15_000


class PostgresShelf:
    """dsn: libpq's connection string or URI. A writer creates what is missing and holds an advisory lock."""

    errors: tuple[type[Exception], ...] = (PersistenceError, psycopg.Error)

    def __init__(self, dsn: str, partition: int, *, writer: bool, create: bool, name: str = NAMES[0]) -> None:
        """name: which of `NAMES`. Raises LogLocked, NotInitialised or LogUnavailable."""
        schema = f"daybook_{name}_{partition}"
        self._lock_class = _LOCK_CLASS + NAMES.index(name)
        try:
            parameters = dict(conninfo_to_dict(dsn))
        except psycopg.ProgrammingError as error:
            # Not the error's text, which may quote the password.
            raise LogUnavailable("The DSN of the log cannot be read.", "Correct it.") from error
        where = f"{parameters.get('host', 'localhost')}/{parameters.get('dbname', '')}"
        self.name = f"the PostgreSQL log {schema} at {where}"
        parameters.setdefault("application_name", f"daybook {os.getpid()} on {socket.gethostname()}")
        parameters.setdefault("connect_timeout", _CONNECT_S)
        # A server that falls silent in mid-commit is an error in seconds, not when the system gives up.
        parameters.setdefault("tcp_user_timeout", _SILENT_MS)
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None
        self._datastore: PostgresDatastore | None = None
        try:
            self._session = psycopg.connect(**parameters, autocommit=True)  # type: ignore[arg-type]
            if writer:
                self._take_lock(self._session, partition)
                if _one(self._session, "SHOW synchronous_commit") == "off":
                    parameters["options"] = f"{parameters.get('options', '')} -c synchronous_commit=on"
            self._make_schema(self._session, schema, create=writer and create)
            self._datastore = _datastore(schema, parameters)
            self.recorder = _PageRecorder(self._datastore, events_table_name=_TABLE)
            if writer:
                self.recorder.create_table()
                # JSON in pages would be compressed at every commit, slower than the disk.
                table = SQL("ALTER TABLE {}.{} ALTER COLUMN state SET STORAGE EXTERNAL")
                self._session.execute(table.format(Identifier(schema), Identifier(_TABLE)))
            else:
                self._session.close()
        except self.errors as error:
            self.close()
            raise self.failure(error, "open") from error
        except BaseException:
            self.close()
            raise
        self._newest = SQL(
            "SELECT MAX(originator_version) AS newest FROM {}.{} WHERE originator_id = %s"
        ).format(Identifier(schema), Identifier(_TABLE))

    def _take_lock(self, session: psycopg.Connection[tuple[Any, ...]], partition: int) -> None:
        """Tells a second engine at once. It is a comfort: what keeps the log whole is the page number."""
        key = (self._lock_class, partition)
        for _ in range(_TRIES):
            if _one(session, "SELECT pg_try_advisory_lock(%s, %s)", *key):
                return
            time.sleep(_PAUSE_S)  # the server may not have noticed yet that the holder died
        holder = session.execute(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid) = (%s, %s)"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            key,
        ).fetchone()
        words = str(holder[0]).split() if holder is not None else []
        pid = int(words[1]) if len(words) > 1 and words[0] == "daybook" and words[1].isdigit() else None
        raise LogLocked(f"Another engine ({' '.join(words) or 'unknown'}) writes {self.name}.", pid=pid)

    def _make_schema(
        self, session: psycopg.Connection[tuple[Any, ...]], schema: str, *, create: bool
    ) -> None:
        table = f"{schema}.{_TABLE}"
        if create:
            session.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
        elif _one(session, "SELECT to_regclass(%s)", table) is None:
            raise NotInitialised(f"There is no log yet in {self.name}.")

    def last_page(self, stream: str) -> int:
        """See `Shelf.last_page`."""
        assert self._datastore is not None, "the shelf is open"
        with self._datastore.get_connection() as connection:
            row = connection.execute(self._newest, (stream,)).fetchone()
        return -1 if row is None or row["newest"] is None else int(row["newest"])

    def failure(self, error: Exception, doing: str, page: int | None = None) -> DaybookError:
        """See `Shelf.failure`."""
        cause = error.__cause__ or error
        where = self.name if page is None else f"page {page} of {self.name}"
        text = (
            f"Could not {doing} {where}: {str(error).strip().splitlines()[0] if str(error) else 'no reason'}."
        )
        if isinstance(cause, (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)):
            return LogCorrupt(text, page=page)
        return LogUnavailable(text)

    def refusal(self, error: Exception, page: int) -> DaybookError:
        """See `Shelf.refusal`. The server may still store the page, since it may not have noticed yet."""
        return Uncertain(f"Page {page} is not known to be stored in {self.name}: {str(error).strip()}.")

    def stored(self, size: int) -> None:
        """See `Shelf.stored`. The server keeps its own house."""

    def close(self) -> None:
        """See `Shelf.close`."""
        if self._datastore is not None:
            self._datastore.close()
        if self._session is not None:
            with contextlib.suppress(psycopg.Error):
                self._session.execute("SELECT pg_advisory_unlock_all()")
            self._session.close()


class _PageRecorder(PostgresAggregateRecorder):
    """Inserts the rows of a page in one statement, once: who retries must compare, and that is the log."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        row = SQL("(%b, %b, %b, %b)")
        statement = SQL(
            "INSERT INTO {}.{} (originator_id, originator_version, topic, state) VALUES {}"
        ).format(
            Identifier(self.datastore.schema),
            Identifier(self.events_table_name),
            SQL(", ").join([row] * len(stored_events)),
        )
        parameters = [
            value
            for stored in stored_events
            for value in (stored.originator_id, stored.originator_version, stored.topic, stored.state)
        ]
        with self.datastore.get_connection() as connection:
            connection.execute(statement, parameters, prepare=True)
        return None


def _datastore(schema: str, parameters: dict[str, Any]) -> PostgresDatastore:
    datastore = PostgresDatastore(
        dbname="",
        host="",
        port="",
        user="",
        password="",
        schema=schema,
        originator_id_type="text",
        connect_timeout=_CONNECT_S,
        max_overflow=3,
    )
    # The library takes five parameters only; the pool takes all of libpq's, such as sslmode.
    kwargs = datastore.pool.kwargs
    assert isinstance(kwargs, dict), "the library gives the pool a dict"
    for name in ("dbname", "host", "port", "user", "password"):
        del kwargs[name]
    kwargs.update(parameters)
    return datastore


def _one(session: psycopg.Connection[tuple[Any, ...]], statement: str, *parameters: object) -> object:
    row = session.execute(statement.encode(), parameters).fetchone()
    assert row is not None, "the statement gives one row"
    return row[0]

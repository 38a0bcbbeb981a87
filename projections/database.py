"""Where the read models live: a PostgreSQL of somebody's own, or the bundled one with its data in the home.

The bundled server is shared by all processes of a home and belongs to none of them. The kernel counts its
users: each holds a shared lock on `users.lock`, which a crash gives back too, and who leaves last stops the
server. Starting and stopping happen under `changes.lock`, one process at a time. We run the wheel's programs
ourselves: its own Python interface counts users in a file, which a kill -9 makes wrong, opens every folder
above the data to be read by everyone, and lets every user of the machine in as superuser.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from engine.errors import DaybookError
from projections.bundled import BundledServer

ATTEMPTS = 3
AGAIN_S = 1.0


class DatabaseUnavailable(DaybookError):
    """The database of the read models could not be reached, started or used."""

    advice = "Check DAYBOOK_DATABASE_URL and that the server runs; nothing in the log is touched."


class Database:
    """A PostgreSQL that answers. dsn: how to connect to it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def version(self) -> str:
        """What the server says it is. Raises DatabaseUnavailable."""
        with connect(self.dsn) as session:
            found = session.execute("SELECT version()").fetchone()
        assert found is not None, "a server has a version"
        return str(found[0])


Session = psycopg.Connection[tuple[Any, ...]]


def connect(dsn: str) -> Session:
    """A session of its own transactions. Raises DatabaseUnavailable."""
    try:
        return psycopg.connect(dsn, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {first_line(error)}.") from error


def execute(session: Session, statement: str, *parameters: Any) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run a statement made of our own names; values are parameters."""
    return session.execute(statement.encode(), parameters or None)


def first_line(error: Exception) -> str:
    """An error's first line, without the full stop that the sentence around it brings."""
    return str(error).strip().partition("\n")[0].rstrip(".")


@contextlib.contextmanager
def open_database(data_dir: Path, url: str | None) -> Iterator[Database]:
    """The database at `url`, or else the bundled server with its data in `data_dir`, while this lasts.

    Raises DatabaseUnavailable, with what the server said.
    """
    if url is not None:
        with connect(url):
            pass
        yield Database(url)
        return
    server = BundledServer(data_dir)
    with _held(data_dir / "users.lock") as users:
        with _changing(data_dir):
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                dsn = _started(server)
            except (OSError, RuntimeError) as error:
                raise DatabaseUnavailable(
                    f"The bundled PostgreSQL does not start: {first_line(error)}.",
                    f"See {server.log}. Read models can be made anew: remove {data_dir}. "
                    "`replay verify --no-read-models` checks the log alone.",
                ) from error
        try:
            yield Database(dsn)
        finally:
            with _changing(data_dir):
                try:
                    # Asked for anew: a lock is not turned from shared to exclusive in one step anyway.
                    fcntl.flock(users, fcntl.LOCK_UN)
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # somebody else works with it
                else:
                    try:
                        server.stop()
                    except (OSError, RuntimeError) as error:
                        raise DatabaseUnavailable(
                            f"The bundled PostgreSQL does not stop: {first_line(error)}.",
                            "Nothing is lost; the next command that needs it finds it running.",
                        ) from error


def _started(server: BundledServer) -> str:
    """The server's DSN. One that is shutting down, as after a kill, is given time to be gone."""
    for _ in range(ATTEMPTS):
        try:
            return server.start()
        except RuntimeError:
            time.sleep(AGAIN_S)
    return server.start()


@contextlib.contextmanager
def _changing(data_dir: Path) -> Iterator[None]:
    with _held(data_dir / "changes.lock") as changes:
        fcntl.flock(changes, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _held(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)

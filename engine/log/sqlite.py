"""A log in one SQLite file: durable at every commit, one writer, readers from any process.

The recorder is the library's application recorder, the smallest whose table has row ids: commits of 1,000
records take 2.3 to 2.9 us a record with it, 3.9 to 4.9 with the aggregate recorder, whose WITHOUT ROWID table
spreads pages of our size over index cells. The process recorder costs the same and adds a tracking table that
nothing here needs: its row is only monotonic, so it would fence nobody. Pages of 16 KiB with a checkpoint at
each MiB were among the fastest of 12 combinations and had the shortest tail (1,000 records: p99 6 ms, against
21 ms with SQLite's defaults): a large checkpoint makes one commit wait for many. SQLite would count the bytes
of its write-ahead log, of which a small page takes 40 KB, so one in 25 small commits would wait for 3 syncs
in place of one. So the checkpoint is ours, after a MiB of pages or after 256 pages.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eventsourcing.persistence import PersistenceError
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteDatastore,
)

from engine.errors import (
    DaybookError,
    LogCorrupt,
    LogLocked,
    LogUnavailable,
    LogUnwritable,
    NotInitialised,
    Uncertain,
    WrongLog,
)

APPLICATION_ID: Final = (
    0x44424B31  # "DBK1" in the file's header, so that another program's file is told apart
)
_PAGE_BYTES: Final = 16_384
_CHECKPOINT_BYTES: Final = 1 << 20
_CHECKPOINT_PAGES: Final = 256
_BUSY_S: Final = 5  # a checkpoint or a recovery of another connection holds locks for milliseconds
_FULL: Final = 2  # PRAGMA synchronous: the write-ahead log is synced at every commit
_TABLE: Final = "pages"
_NEWEST: Final = "SELECT MAX(originator_version) FROM pages WHERE originator_id = ?"


class SqliteShelf:
    """path: the file. writer: takes the lock and may create the file; a reader opens it read-only."""

    # Of a damaged file, SQLite's message may be no text, and the table may have lost its columns.
    errors: tuple[type[Exception], ...] = (PersistenceError, sqlite3.Error, UnicodeDecodeError, IndexError)

    def __init__(self, path: Path, *, writer: bool, create: bool) -> None:
        """Raises LogLocked, NotInitialised, WrongLog, LogCorrupt or LogUnavailable."""
        self.name = f"the log file {path}"
        path = path.resolve()  # the lock stands beside the real file, whatever links lead to it
        self._lock = _FileLock(path) if writer else None
        self._pages = self._bytes = 0
        try:
            with self._opening():
                _prepare(path, writer=writer, create=writer and create)
                datastore = SQLiteDatastore(str(path), originator_id_type="text")
                datastore.pool = _Pool(path, writer=writer)
                self._datastore = datastore
                self.recorder = SQLiteApplicationRecorder(datastore, events_table_name=_TABLE)
                if writer:
                    self.recorder.create_table()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except self.errors as error:
            raise self.failure(error, "open") from error

    def last_page(self, stream: str) -> int:
        """See `Shelf.last_page`."""
        with self._datastore.transaction(commit=False) as cursor:
            cursor.execute(_NEWEST, (stream,))
            newest = cursor.fetchone()[0]
        return -1 if newest is None else int(newest)

    def failure(self, error: Exception, doing: str, page: int | None = None) -> DaybookError:
        """See `Shelf.failure`."""
        name, text = _sqlite_error(error)
        where = self.name if page is None else f"page {page} of {self.name}"
        if name == "SQLITE_NOTADB":
            return WrongLog(f"{_capital(self.name)} is not a Daybook log: {text}.")
        if "no such table" in text:
            return NotInitialised(f"{_capital(self.name)} holds no log yet.")
        unreadable = isinstance(error, (UnicodeDecodeError, IndexError)) or "decode" in text
        if unreadable or name.startswith("SQLITE_CORRUPT"):
            return LogCorrupt(f"{_capital(where)} is damaged or cut short: {text}.", page=page)
        return LogUnavailable(f"Could not {doing} {where}: {text}.")

    def refusal(self, error: Exception, page: int) -> DaybookError:
        """See `Shelf.refusal`."""
        name, text = _sqlite_error(error)
        if name == "SQLITE_FULL":
            return LogUnwritable(f"The disk is full: page {page} was not stored in {self.name}.")
        if name.startswith(
            ("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_CORRUPT")
        ):
            return LogUnwritable(f"Page {page} was not stored in {self.name}: {text}.")
        return Uncertain(f"Page {page} is not known to be stored in {self.name}: {text}.")

    def stored(self, size: int) -> None:
        """See `Shelf.stored`: copies the write-ahead log into the file, seldom where commits are small."""
        self._pages += 1
        self._bytes += size
        if self._bytes < _CHECKPOINT_BYTES and self._pages < _CHECKPOINT_PAGES:
            return
        self._pages = self._bytes = 0
        # The pages are durable without it; it comes again, and who finds the disk full is the next commit.
        with contextlib.suppress(*self.errors), self._datastore.get_connection(commit=True) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """See `Shelf.close`."""
        if hasattr(self, "_datastore"):
            self._datastore.close()
        if self._lock is not None:
            self._lock.release()


class _Pool(SQLiteConnectionPool):
    """The library makes connections on demand and leaves `synchronous` to SQLite's build; here it is set."""

    def __init__(self, path: Path, *, writer: bool) -> None:
        super().__init__(db_name=_uri(path, "rw" if writer else "ro"), lock_timeout=_BUSY_S)
        self._writer = writer

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        if self._writer:
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA wal_autocheckpoint = 0")
            cursor.execute("PRAGMA synchronous")
            level = cursor.fetchone()[0]
            cursor.execute("PRAGMA journal_mode")
            mode = cursor.fetchone()[0]
            if (level, mode) != (_FULL, "wal"):
                raise LogUnavailable(
                    f"SQLite would not sync every commit here (synchronous {level}, journal {mode}).",
                    "Put the log on a local disk.",
                )
        return connection


class _FileLock:
    """An advisory lock on `<file>.lock`, which holds the writer's pid. The system frees it when that dies."""

    def __init__(self, path: Path) -> None:
        lock_path = path.with_name(path.name + ".lock")
        try:
            self._fd = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            raise NotInitialised(f"There is no folder {path.parent}.") from None
        except OSError as error:
            raise LogUnavailable(f"Could not open {lock_path}: {error.strerror}.") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 32, 0).strip()
            os.close(self._fd)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise LogUnavailable(f"Could not lock {lock_path}: {error.strerror}.") from error
            pid = int(holder) if holder.isdigit() else None
            raise LogLocked(
                f"Another engine{f', process {pid},' if pid else ''} writes the log {path}.", pid=pid
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        # The lock file stays: removing it would let two engines lock two files of one name.
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _prepare(path: Path, *, writer: bool, create: bool) -> None:
    """Makes sure that the file is a Daybook log, or makes it one. Each step can be repeated after a crash."""
    empty = not path.exists() or path.stat().st_size == 0
    if empty and not create:
        raise NotInitialised(f"There is no log at {path}{', the file is empty' if path.exists() else ''}.")
    with closing(
        sqlite3.connect(_uri(path, "rwc" if empty else "ro"), uri=True, timeout=_BUSY_S)
    ) as database:
        if empty:
            database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        found = database.execute("PRAGMA application_id").fetchone()[0]
        mode = database.execute("PRAGMA journal_mode").fetchone()[0]
    if found != APPLICATION_ID:
        raise WrongLog(f"{path} is a SQLite file, but not a Daybook log.")
    if mode != "wal" and not writer:
        raise NotInitialised(f"The log {path} is not complete.", "Open it with an engine first.")
    if empty:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)  # the file's name must be as durable as what is in it
        finally:
            os.close(directory)


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path))}?mode={mode}"


def _sqlite_error(error: BaseException) -> tuple[str, str]:
    """SQLite's name of the error ("" where it has none) and its text; the library wraps the original."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = cause.__cause__
    return getattr(cause, "sqlite_errorname", ""), str(cause if cause is not None else error)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

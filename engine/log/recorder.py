"""The embedded log over the eventsourcing library's recorders: SQLite by default, PostgreSQL by setting.

A commit is one page, two rows in one transaction: `commands-<partition>` and `events-<partition>`, so that
who reads events reads no commands. The fence is the page number, previous + 1, in the primary key: the insert
of a writer that was overtaken fails. On any error the stored page is compared: identical means that it was
ours (a retry, a lost acknowledgement), different means Fenced, unknown means Uncertain. Every writer draws a
number that is part of its pages, so two writers' pages are never equal by chance.
Commands wait in memory and are durable from the commit that holds their outcomes; a crash before that forgets
them, and clients send them again (docs/decisions/0003).
"""

import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Self

import msgspec
from eventsourcing.persistence import IntegrityError, StoredEvent

from engine.errors import DaybookError, EngineStopped, Fenced, NotInitialised, Uncertain, WrongLog
from engine.log.pages import TOPIC, encode
from engine.log.partitioning import ONLY
from engine.log.records import Clock, Out, Record, wall_clock
from engine.log.shelf import Shelf, Stream
from engine.log.sqlite import SqliteShelf
from engine.log.waiting import Waiting

_TITLE: Final = "log"  # the stream whose only row says what this log is
_TITLE_TOPIC: Final = "log/1"
_POLL_S: Final = 0.01  # how often a follower looks for new pages


class Title(msgspec.Struct, frozen=True):
    """What a log says of itself, written when it was created. id: drawn at random, hexadecimal."""

    id: str
    partition: int
    created_ms: int


class RecorderLog:
    """`BookLog` and `CommandLog` of one partition, for its one writer; or, with writer=False, for a reader.

    Readers take no lock, may be in other processes, and see whole pages only.
    """

    place = ONLY

    def __init__(
        self,
        shelf: Shelf,
        partition: int,
        clock: Clock,
        writer: bool,
        queue_limit: int,
        submit_timeout_s: float,
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._writer = writer
        self._over: DaybookError | None = None
        self._stop_waiting = False
        self._closing = threading.Lock()
        try:
            self.title = self._open_title(partition)
            self._event_stream = Stream(shelf, f"events-{partition}")
            self._command_stream = Stream(shelf, f"commands-{partition}")
            self._number = secrets.randbits(63)
            self._page = self._event_stream.page_count()
            self._committed = self._command_stream.last_offset()
            self._next_event = self._event_stream.last_offset() + 1
        except BaseException:
            shelf.close()
            raise
        self._waiting = Waiting(self._committed + 1, clock, queue_limit, submit_timeout_s)

    @classmethod
    def sqlite(
        cls,
        path: str | os.PathLike[str],
        *,
        partition: int = 0,
        clock: Clock = wall_clock,
        writer: bool = True,
        create: bool = True,
        queue_limit: int = 100_000,
        submit_timeout_s: float = 5.0,
    ) -> Self:
        """The log in this file. create: a writer makes it where there is none.

        Raises LogLocked (at once), NotInitialised, WrongLog, LogCorrupt or LogUnavailable.
        """
        shelf = SqliteShelf(Path(path), writer=writer, create=create)
        return cls(shelf, partition, clock, writer, queue_limit, submit_timeout_s)

    @classmethod
    def postgres(
        cls,
        dsn: str,
        *,
        partition: int = 0,
        clock: Clock = wall_clock,
        writer: bool = True,
        create: bool = True,
        queue_limit: int = 100_000,
        submit_timeout_s: float = 5.0,
        name: str = "log",
    ) -> Self:
        """The log in the schema `daybook_<name>_<partition>` of this database; otherwise as `sqlite`."""
        from engine.log.postgres import PostgresShelf  # noqa: PLC0415 (psycopg loads in 0.1 s, SQLite needs none)

        shelf = PostgresShelf(dsn, partition, writer=writer, create=create, name=name)
        return cls(shelf, partition, clock, writer, queue_limit, submit_timeout_s)

    def _open_title(self, partition: int) -> Title:
        """Reads what this log is, or writes it where the log is new."""
        shelf = self._shelf
        try:
            found = shelf.recorder.select_events(_TITLE, limit=1)
            if not found:
                if not self._writer:
                    raise NotInitialised(f"There is no log yet in {shelf.name}.")
                title = Title(secrets.token_hex(16), partition, self._clock())
                shelf.recorder.insert_events(
                    [StoredEvent(_TITLE, 0, _TITLE_TOPIC, msgspec.json.encode(title))]
                )
                return title
            title = msgspec.json.decode(found[0].state, type=Title)
        except shelf.errors as error:
            raise shelf.failure(error, "open") from error
        except msgspec.MsgspecError as error:
            raise WrongLog(f"The title of {shelf.name} cannot be read: {error}.") from error
        if title.partition != partition:
            raise WrongLog(f"{shelf.name} holds partition {title.partition}, not {partition}.")
        return title

    # --- CommandLog -----------------------------------------------------------------------------------

    def submit(self, commands: Sequence[Out]) -> range:
        """See `CommandLog.submit`."""
        assert self._writer, "a reader of the log never writes"
        return self._waiting.put(commands)

    # --- BookLog --------------------------------------------------------------------------------------

    def events(self, after: int) -> Iterator[Record]:
        """See `BookLog.events`."""
        return self._event_stream.records(after)

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        """See `BookLog.commands`. A reader gets the stored ones, when they are."""
        if not self._writer:
            self._wait(self._command_stream, after, wait_s)
        if not self._writer or after < self._committed:
            return list(islice(self._command_stream.records(after), limit))
        return self._waiting.after(after, limit, wait_s)

    def commit(self, events: Sequence[Out], through: int, time_ms: int) -> None:
        """See `BookLog.commit`. With neither events nor commands, nothing is stored."""
        assert self._writer, "a reader of the log never writes"
        if self._over is not None:
            raise self._over
        assert through >= self._committed, f"the position never moves back: {through} < {self._committed}"
        decided = self._waiting.through(through)
        if not events and not decided:
            return
        page, number, commands = self._page, self._number, self._command_stream.name
        times = [record.time_ms for record in decided]
        rows = (
            (commands, encode(commands, page, number, self._committed + 1, decided, times)),
            (
                self._event_stream.name,
                encode(self._event_stream.name, page, number, self._next_event, events, time_ms),
            ),
        )
        try:
            self._shelf.recorder.insert_events(
                [StoredEvent(name, page, TOPIC, state) for name, state in rows]
            )
        except self._shelf.errors as error:
            self._settle(rows, error)
        except BaseException:
            self._end(Uncertain(f"The commit of page {page} was interrupted."))
            raise
        self._page += 1
        self._next_event += len(events)
        self._committed += len(decided)
        self._waiting.drop(len(decided))
        self._shelf.stored(sum(len(state) for _, state in rows))

    def _settle(self, rows: Sequence[tuple[str, bytes]], error: Exception) -> None:
        """Returns where the page is stored and ours; raises Fenced or Uncertain otherwise."""
        page = self._page
        try:
            stored = [Stream(self._shelf, name).stored(page) for name, _ in rows]
        except self._shelf.errors:
            raise self._end(self._shelf.refusal(error, page)) from error
        if stored == [state for _, state in rows]:
            return
        if any(state is not None for state in stored) or isinstance(error, IntegrityError):
            raise self._end(Fenced(f"Page {page} of {self._shelf.name} was written by another.")) from error
        raise self._end(self._shelf.refusal(error, page)) from error

    def _end(self, why: DaybookError) -> DaybookError:
        self._over = why
        self._waiting.close("The engine lost its log.")
        return why

    def wake(self) -> None:
        """See `BookLog.wake`."""
        self._stop_waiting = True
        self._waiting.wake()

    def close(self) -> None:
        """See `BookLog.close`."""
        self._over = self._over or EngineStopped("The log was closed.")
        self._waiting.close("The engine has stopped.")
        with self._closing:  # whoever else closes it finds it closed
            self._shelf.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- for followers --------------------------------------------------------------------------------

    def page_count(self) -> int:
        """Pages stored so far, one a commit. Cheap: it reads no page."""
        return self._event_stream.page_count()

    def commands_behind(self, after: int) -> int:
        """How many commands wait behind `after`."""
        return self._waiting.count_behind(after)

    def events_behind(self, after: int) -> int:
        """How many events are stored behind `after`; with gaps, a few less."""
        return max(0, self.last_event_offset() - after)

    def last_event_offset(self) -> int:
        """Offset of the last stored event, -1 before the first. Reads a page only when there is a new one."""
        return self._event_stream.last_offset()

    def last_command_offset(self) -> int:
        """Offset of the last stored command, -1 before the first."""
        return self._command_stream.last_offset()

    def wait_events(self, after: int, timeout_s: float) -> bool:
        """Waits until an event behind `after` is stored, by whatever process. False on time-out or `wake`."""
        return self._wait(self._event_stream, after, timeout_s)

    def _wait(self, stream: Stream, after: int, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not (there := stream.last_offset() > after) and not self._stop_waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(_POLL_S, left))
        self._stop_waiting = False
        return there

"""Where pages stand: what a database must offer, and how a stream of pages is found and read in it.

A shelf is one log in one database, kept by a recorder of the eventsourcing library. Reading never holds a
transaction open between chunks, and never loads more than a chunk of pages.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from eventsourcing.persistence import AggregateRecorder, StoredEvent

from engine.errors import DaybookError, LogCorrupt
from engine.log.pages import Row, decode
from engine.log.records import BEFORE_FIRST, Record

_CHUNK_BYTES: Final = 8 << 20
_CHUNK_PAGES: Final = 32  # bounds what is loaded where small pages are followed by large ones


class Shelf(Protocol):
    """One log in one database."""

    @property
    def name(self) -> str:
        """Which log this is, for messages; holds no password."""
        ...

    @property
    def recorder(self) -> AggregateRecorder:
        """Inserts the rows of a page in one transaction, or none; selects rows by stream and page number."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the recorder raises when the database refuses, fails or is gone."""
        ...

    def last_page(self, stream: str) -> int:
        """Number of the newest page, -1 where there is none. Cheap: it reads no page."""
        ...

    def failure(self, error: Exception, doing: str, page: int | None = None) -> DaybookError:
        """The database's error in our words, for reading (LogUnavailable, LogCorrupt)."""
        ...

    def refusal(self, error: Exception, page: int) -> DaybookError:
        """The error of a commit that is not stored: LogUnwritable or Uncertain."""
        ...

    def stored(self, size: int) -> None:
        """A page of `size` bytes was committed: time for what housekeeping there is. Raises nothing."""
        ...

    def close(self) -> None:
        """Closes the connections and gives up the writer's lock."""
        ...


class Stream:
    """The commands or the events of a log, page by page."""

    def __init__(self, shelf: Shelf, name: str) -> None:
        self.name = name
        self._shelf = shelf
        self._chunk = 1
        # Where the last reading ended: (its last offset, the page after it). Followers go on from there.
        self._ended = (BEFORE_FIRST, 0)
        self._newest: Row | None = None

    def page_count(self) -> int:
        """Pages stored so far."""
        try:
            return self._shelf.last_page(self.name) + 1
        except self._shelf.errors as error:
            raise self._shelf.failure(error, "read") from error

    def newest(self) -> Row | None:
        """The last page's row. Read once per new page."""
        count = self.page_count()
        if count == 0:
            return None
        if self._newest is None or self._newest.page != count - 1:
            self._newest = self._row(count - 1)
        return self._newest

    def last_offset(self) -> int:
        """Offset of the last stored record, -1 before the first."""
        newest = self.newest()
        return newest.last if newest is not None else BEFORE_FIRST

    def stored(self, page: int) -> bytes | None:
        """What stands at this page, as stored, None where nothing does. Raises the database's errors."""
        found = self._shelf.recorder.select_events(self.name, gt=page - 1, lte=page)
        return found[0].state if found else None

    def records(self, after: int) -> Iterator[Record]:
        """Every record with offset > after that is stored by now, in order."""
        count = self.page_count()
        page = self._page_behind(after, count)
        last = None
        while page < count:
            for stored in self._rows(page, min(count, page + self._chunk) - 1):
                row = decode(self.name, page, stored.state)
                if last is not None and row.first != last + 1:
                    raise LogCorrupt(
                        f"Page {page} of {self.name} begins at {row.first}, not at {last + 1}.", page=page
                    )
                last, page = row.last, page + 1
                yield from row.records(after)
                self._ended = (last, page)

    def _page_behind(self, after: int, count: int) -> int:
        """The page with the first record behind `after`, by binary search; `count` where none is stored."""
        ended_offset, ended_page = self._ended
        if after == ended_offset:
            return min(ended_page, count)
        if after <= BEFORE_FIRST:
            return 0
        newest = self.newest()
        if newest is None or after >= newest.last:
            return count
        low, high = (ended_page, count) if after > ended_offset else (0, ended_page)
        while low < high:  # the first page whose last offset is behind `after`
            middle = (low + high) // 2
            if self._row(middle).last > after:
                high = middle
            else:
                low = middle + 1
        return low

    def _row(self, page: int) -> Row:
        return decode(self.name, page, self._rows(page, page)[0].state)

    def _rows(self, first: int, last: int) -> list[StoredEvent]:
        """The stored rows of pages `first` to `last`, all of them. Raises LogCorrupt where one is missing."""
        try:
            rows = list(self._shelf.recorder.select_events(self.name, gt=first - 1, lte=last))
        except self._shelf.errors as error:
            raise self._shelf.failure(error, "read", first) from error
        for page, row in enumerate(rows, first):
            if row.originator_version != page:
                raise LogCorrupt(f"Page {page} of {self.name} is missing.", page=page)
            if type(row.state) is not bytes:
                raise LogCorrupt(f"Page {page} of {self.name} is damaged: it is not bytes.", page=page)
        if len(rows) != last - first + 1:
            missing = first + len(rows)
            raise LogCorrupt(f"Page {missing} of {self.name} is missing.", page=missing)
        size = sum(len(row.state) for row in rows) // len(rows) + 1
        self._chunk = max(1, min(2 * self._chunk, _CHUNK_PAGES, _CHUNK_BYTES // size))
        return rows

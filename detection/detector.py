"""The detector: derives the alerts from the events of a partition, hosted by `engine/derivation.py`.

Its state is a fold, so it can be lost: without a snapshot all of the log is folded again, which gives the
same alerts with the same ids. Snapshots stand beside those of the engine's followers, in a folder named by
the shape of the state, and prove nothing: what is damaged, of another log or ahead of it is passed over.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from detection.facts import fact_of
from detection.table import TYPOLOGIES, state_type
from detection.watch import Kept, Watch
from engine.derivation import Events
from engine.errors import LogCorrupt
from engine.links import link_of
from engine.log.records import BEFORE_FIRST, Out, Record
from engine.places import Place, PlaceFailed
from schemas.alerts import encode_alert
from schemas.tracing import carried

NAME: Final = "detection"
RELEASE: Final = 1
"""Raised when what a state means changes and its shape does not: older snapshots are then passed over."""
SNAPSHOT_EVENTS: Final = 500_000
SNAPSHOT_S: Final = 30.0
"""A snapshot is written after so many events, and never sooner than this after the one before."""
KEEP: Final = 2
_SUFFIX: Final = ".detection"
_DIGEST_BYTES: Final = 32


class _Stored(msgspec.Struct):
    """offset, link: of the newest event in it.   books: by id."""

    offset: int
    link: bytes
    books: dict[str, Kept]


class Detector:
    """The derivation of alerts. Every record of its output is one alert, keyed by its book."""

    def __init__(
        self,
        log: Events,
        snapshots: Place | None = None,
        *,
        snapshot_events: int = SNAPSHOT_EVENTS,
        snapshot_s: float = SNAPSHOT_S,
        told: Callable[[Sequence[tuple[str, int]]], None] | None = None,
    ) -> None:
        """log: the events, to tell whether a snapshot is of them.   snapshots: where they are, if kept.

        told: of the alerts that are durable now, each one's kind and when its event was appended, in ms.
        """
        self.books: dict[str, Watch] = {}
        self.began_at = BEFORE_FIRST
        """The offset that a snapshot let it begin behind."""
        self._log = log
        self._place = None if snapshots is None else snapshots.of(NAME).of(_shape())
        self._every = snapshot_events
        self._apart_s = snapshot_s
        self._newest: Record | None = None
        self._since = 0
        self._written_s = time.monotonic()
        self._told = told
        self._made: list[tuple[str, int]] = []

    def begin(self, position: int) -> int:
        """See `Derivation.begin`."""
        stored = self._load()
        if stored is None:
            return BEFORE_FIRST
        self.books = {book: Watch(kept) for book, kept in stored.books.items()}
        self.began_at = stored.offset
        return stored.offset

    def derive(self, events: Sequence[Record]) -> list[Out]:
        """See `Derivation.derive`. Raises LogCorrupt where an event cannot be decoded."""
        outs: list[Out] = []
        made = self._made = []
        books = self.books
        for record in events:
            fact = fact_of(record)
            book = getattr(fact, "book", None)
            if book is None:
                continue
            watch = books.get(book)
            if watch is None:
                watch = books[book] = Watch()
            for alert in watch.event(fact):
                outs.append(Out(record.key, encode_alert(alert), carried(record.headers)))
                made.append((alert.kind, record.time_ms))
        self._newest = events[-1] if events else self._newest
        self._since += len(events)
        return outs

    def kept(self, through: int) -> None:
        """See `Derivation.kept`. Writes a snapshot where it is time for one."""
        if self._made and self._told is not None:
            self._told(self._made)
        newest = self._newest
        if self._place is None or newest is None or newest.offset != through or self._since < self._every:
            return
        if time.monotonic() < self._written_s + self._apart_s:
            return
        link = link_of(newest.headers)
        if link is None:
            return
        self._since, self._written_s = 0, time.monotonic()
        body = msgspec.json.encode(
            _Stored(through, link, {book: watch.keep() for book, watch in self.books.items()})
        )
        self._place.write(f"{through:020d}{_SUFFIX}", hashlib.sha256(body).digest() + body)
        for old in self._place.oldest_first(_SUFFIX)[:-KEEP]:
            self._place.drop(old)

    def _load(self) -> _Stored | None:
        """The newest snapshot of this log."""
        if self._place is None:
            return None
        for name in reversed(self._place.names(_SUFFIX)):
            try:
                content = self._place.read(name)
            except (OSError, PlaceFailed):
                continue
            body = memoryview(content)[_DIGEST_BYTES:]
            if hashlib.sha256(body).digest() != content[:_DIGEST_BYTES]:
                continue
            stored: _Stored = msgspec.json.decode(body, type=_Stored)
            if self._belongs(stored):
                return stored
        return None

    def _belongs(self, stored: _Stored) -> bool:
        try:
            record = next(iter(self._log.events(stored.offset - 1)), None)
        except LogCorrupt:  # the log ends before that, or begins behind it
            return False
        return (
            record is not None and record.offset == stored.offset and link_of(record.headers) == stored.link
        )


def _shape() -> str:
    """A digest of the shape of the state: a snapshot serves only a release with the same one."""
    shapes: list[Any] = [RELEASE, msgspec.json.schema(_Stored)]
    shapes += [[name, msgspec.json.schema(state_type(name))] for name in TYPOLOGIES]
    return hashlib.sha256(msgspec.json.encode(shapes, order="sorted")).hexdigest()[:16]

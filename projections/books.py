"""`books`: each book's settings and how far it is; `assets`: its own."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from projections.copying import instant
from projections.tables import Batch, Change, Execute, Table
from schemas.books import AssetRegistered, BookOpened, PeriodClosed, SystemBookOpened
from schemas.message import Event

BOOKS = Table(
    "books",
    (
        ("book", "text NOT NULL"),
        ("name", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("time_zone", "text NOT NULL"),
        ("clock", "text NOT NULL"),
        ("open_from", "date"),
        ("reversible_days", "integer"),
        ("opened_at", "timestamptz NOT NULL"),
        ("at", "timestamptz NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book",),
)
ASSETS = Table(
    "assets",
    (
        ("book", "text NOT NULL"),
        ("asset", "text NOT NULL"),
        ("scale", "integer NOT NULL"),
        ("name", "text NOT NULL"),
    ),
    key=("book", "asset"),
)
TABLES = (BOOKS, ASSETS)

_OPEN = (
    "INSERT INTO {schema}.books VALUES "
    "(%s, %s, %s, %s, %s, %s::date, %s, %s::timestamptz, %s::timestamptz, %s)"
)
_ASSET = "INSERT INTO {schema}.assets VALUES (%s, %s, %s, %s)"
_CLOSE = "UPDATE {schema}.books SET open_from = %s::date WHERE book = %s"
_MOVE = "UPDATE {schema}.books SET at = %s::timestamptz, seq = %s WHERE book = %s"


def changes(batch: Batch) -> Iterator[Change]:
    """What happened to books, then how far each of the batch's books is."""
    for event in batch.others:
        match event:
            case SystemBookOpened():
                yield _opened(event, ("System", "", "UTC", "wall", None, None))
            case BookOpened():
                days: tuple[datetime.date, int] = (event.open_from, event.reversible_days)
                yield _opened(event, (event.name, event.currency, event.time_zone, event.clock, *days))
            case AssetRegistered():
                yield Execute(_ASSET, [(event.book, event.asset, event.scale, event.name)])
            case PeriodClosed():
                yield Execute(_CLOSE, [(event.open_from, event.book)])
            case _:
                pass
    newest = {event.book: event for event in batch.events}
    yield Execute(_MOVE, [(instant(event.at), event.seq, book) for book, event in newest.items()])


def _opened(event: Event, settings: tuple[object, ...]) -> Execute:
    at = instant(event.at)
    return Execute(_OPEN, [(event.book, *settings, at, at, event.seq)])

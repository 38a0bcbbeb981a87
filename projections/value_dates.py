"""`deferred`: what customers were credited with a value date ahead, and whether they can spend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant
from projections.tables import Batch, Change, Execute, Index, Table
from projections.view import ACCOUNT, BOOK, CURRENCY, View, amount, shown
from schemas.message import Event
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from schemas.value_dates import CreditReleased

_STATUS = (
    "CASE WHEN waiting > 0 THEN 'waiting' WHEN released_at IS NULL THEN 'taken back' ELSE 'available' END"
)
DEFERRED = Table(
    "deferred",
    (
        ("book", "text NOT NULL"),
        ("transfer", "bigint NOT NULL"),
        ("account", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("waiting", "bigint NOT NULL"),
        ("status", f"text GENERATED ALWAYS AS ({_STATUS}) STORED"),
        ("booking_date", "date NOT NULL"),
        ("value_date", "date NOT NULL"),
        ("available_at", "timestamptz NOT NULL"),
        ("released_at", "timestamptz"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "transfer", "account"),
    indexes=(
        Index("deferred_waiting", "(book, account, value_date) WHERE waiting > 0"),
        Index("deferred_by_date", "(book, value_date, transfer) WHERE waiting > 0"),
    ),
)
TABLES = (DEFERRED,)

_DEFER = (
    "INSERT INTO {schema}.deferred (book, transfer, account, currency, amount, waiting, booking_date, "
    "value_date, available_at, seq) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_LESS = (
    "UPDATE {schema}.deferred SET waiting = waiting + %s, released_at = %s, seq = %s "
    "WHERE book = %s AND transfer = %s AND account = %s"
)


def changes(batch: Batch) -> Iterator[Change]:
    """What is deferred, in order with what is released or taken back."""
    for event in batch.others:
        rows = list(_rows(event))
        if rows:
            yield Execute(_DEFER if type(event) in (TransferPosted, EntriesPosted) else _LESS, rows)


def _rows(event: Event) -> Iterator[tuple[Any, ...]]:
    match event:
        case TransferPosted() | EntriesPosted():
            currencies = {one.account: one.currency for one in event.postings}
            for one in event.reserves:
                yield (
                    *(event.book, event.seq, one.account, currencies[one.account], one.amount, one.amount),
                    *(str(event.booking_date), str(event.value_date), instant(event.available_at_ms)),
                    event.seq,
                )
        case TransferReversed() | TransferRefunded() | CreditReleased():
            at = instant(event.at) if isinstance(event, CreditReleased) else None
            for one in event.reserves:
                yield (one.amount, at, event.seq, event.book, event.transfer, one.account)
        case _:
            pass


VIEWS = (
    View(
        "deferred",
        "What customers were credited with a value date ahead. It is booked, and held until that day.",
        "{schema}.deferred AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "transfer": "Number of the event that credited it.",
                    "account": ACCOUNT,
                    "currency": CURRENCY,
                }
            ),
            amount("amount", "What was credited."),
            amount("waiting", "What of it cannot be spent yet."),
            *shown(
                {
                    "status": "waiting; available since its value date; or taken back before it.",
                    "booking_date": "Business day on which it was booked.",
                    "value_date": "Day from which it counts and can be spent.",
                    "available_at": "Book time at which that day begins.",
                    "released_at": "Book time at which it could be spent; null before, and where taken back.",
                    "seq": "Number of the newest event about it.",
                }
            ),
        ),
    ),
)

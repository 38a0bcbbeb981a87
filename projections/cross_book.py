"""`cross_book`: payments between books, a row each, with what both sides have recorded of it.

Either side may be projected first, where they are on different partitions: each event brings the columns of
its own side, and the state follows from which of them are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from projections.view import AT, CURRENCY, TOLD_REASON, Column, View, amount, shown
from schemas.crossbook import (
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
)

_STATE = (
    "CASE WHEN completed_seq IS NOT NULL THEN 'completed' WHEN released_seq IS NOT NULL THEN 'released' "
    "WHEN received_seq IS NOT NULL THEN 'received' WHEN refused_seq IS NOT NULL THEN 'refused' "
    "ELSE 'sent' END"
)

CROSS_BOOK = Table(
    "cross_book",
    (
        ("from_book", "text NOT NULL"),
        ("to_book", "text NOT NULL"),
        ("number", "bigint NOT NULL"),
        ("transfer", "text"),
        ("from_account", "text"),
        ("to_account", "text"),
        ("amount", "bigint"),
        ("currency", "text"),
        ("reference", "text"),
        ("reason", "text"),
        ("figures", "jsonb"),
        ("sent_at", "timestamptz"),
        ("sent_seq", "bigint"),
        ("answered_at", "timestamptz"),
        ("received_seq", "bigint"),
        ("refused_seq", "bigint"),
        ("settled_at", "timestamptz"),
        ("completed_seq", "bigint"),
        ("released_seq", "bigint"),
        ("acknowledged_at", "timestamptz"),
        ("acknowledged_seq", "bigint"),
        ("state", f"text GENERATED ALWAYS AS ({_STATE}) STORED"),
    ),
    key=("from_book", "to_book", "number"),
    indexes=(
        Index("cross_book_transfer", "(transfer, from_book)"),
        Index("cross_book_unsettled", "(sent_at, from_book) WHERE settled_at IS NULL"),
    ),
)
TABLES = (CROSS_BOOK,)

_KEY = ("from_book", "to_book", "number")


def _upsert(*columns: str) -> str:
    """What one side has recorded, beside whatever is there of the other."""
    values = ", ".join("%s::jsonb" if one == "figures" else "%s" for one in (*_KEY, *columns))
    return (
        f"INSERT INTO {{schema}}.cross_book ({', '.join((*_KEY, *columns))}) VALUES ({values}) "
        f"ON CONFLICT (from_book, to_book, number) DO UPDATE SET "
        + ", ".join(f"{one} = excluded.{one}" for one in columns)
    )


_TO_ACCOUNT = ("transfer", "to_account", "amount", "currency", "reference")
_SENT = _upsert(*_TO_ACCOUNT, "from_account", "sent_at", "sent_seq")
_RECEIVED = _upsert(*_TO_ACCOUNT, "sent_seq", "answered_at", "received_seq")
_REFUSED = _upsert(*_TO_ACCOUNT, "sent_seq", "reason", "figures", "answered_at", "refused_seq")
_COMPLETED = _upsert("settled_at", "completed_seq", "received_seq")
_RELEASED = _upsert("settled_at", "released_seq", "refused_seq", "reason", "figures")
_ACKNOWLEDGED = _upsert("acknowledged_at", "acknowledged_seq")


def changes(batch: Batch) -> Iterator[Change]:
    """A statement a type of event. Each type has columns of its own, so their order does not matter."""
    parameters: dict[str, list[tuple[Any, ...]]] = {}
    for event in batch.others:
        said = _said(event)
        if said is not None:
            parameters.setdefault(said[0], []).append(said[1])
    for statement, rows in parameters.items():
        yield Execute(statement, rows)


def _said(event: object) -> tuple[str, tuple[Any, ...]] | None:
    """The statement and its parameters for an event of a payment between books."""
    match event:
        case CrossBookSent():
            return _SENT, (
                event.book,
                event.to_book,
                event.number,
                event.transfer,
                event.to_account,
                event.amount,
                event.currency,
                event.reference,
                event.account,
                instant(event.at),
                event.seq,
            )
        case CrossBookReceived():
            return _RECEIVED, (*_asked(event), instant(event.at), event.seq)
        case CrossBookRefused():
            why = (event.reason, json_text(event.figures))
            return _REFUSED, (*_asked(event), *why, instant(event.at), event.seq)
        case CrossBookCompleted():
            key = (event.book, event.to_book, event.number)
            return _COMPLETED, (*key, instant(event.at), event.seq, event.answer_seq)
        case CrossBookReleased():
            key = (event.book, event.to_book, event.number)
            why = (event.reason, json_text(event.figures))
            return _RELEASED, (*key, instant(event.at), event.seq, event.answer_seq, *why)
        case CrossBookAcknowledged():
            key = (event.from_book, event.book, event.number)
            return _ACKNOWLEDGED, (*key, instant(event.at), event.seq)
        case _:
            return None


def _asked(event: CrossBookReceived | CrossBookRefused) -> tuple[Any, ...]:
    return (
        event.from_book,
        event.book,
        event.number,
        event.transfer,
        event.account,
        event.amount,
        event.currency,
        event.reference,
        event.sent_seq,
    )


VIEWS = (
    View(
        "cross_book",
        "Payments between books, with what both sides have recorded. What is sent and not settled is on its "
        "way; how long it has been tells where to look.",
        "{schema}.cross_book AS t LEFT JOIN {schema}.books AS b ON b.book = t.from_book",
        (
            *shown(
                {
                    "from_book": "The book that pays.",
                    "to_book": "The book that is paid.",
                    "number": "Counts the payments from the one to the other.",
                    "transfer": "The payment's name, unique in its book while it is on its way.",
                    "state": "sent, received or refused by the other book, completed or released by its own.",
                    "from_account": "Who pays.",
                    "to_account": "Who is paid.",
                }
            ),
            amount("amount", "What is paid, above zero."),
            *shown({"currency": CURRENCY}),
            Column("reason", TOLD_REASON, "Why the other book refused it."),
            *shown(
                {
                    "reference": "What the sender wrote.",
                    "sent_at": AT,
                    "sent_seq": "Number of the event in from_book that sent it.",
                    "answered_at": "Book time, in to_book, of the answer.",
                    "received_seq": "Number of the event in to_book that credited it.",
                    "refused_seq": "Number of the event in to_book that refused it.",
                    "settled_at": "Book time, in from_book, of payment or release.",
                    "completed_seq": "Number of the event in from_book that paid it.",
                    "released_seq": "Number of the event in from_book that released it.",
                    "acknowledged_at": "Book time, in to_book, from when it was forgotten there.",
                }
            ),
            Column(
                "unsettled",
                "CASE WHEN t.settled_at IS NULL THEN b.at - t.sent_at END",
                "How long it has been on its way by the time of from_book; null when it is settled.",
            ),
        ),
    ),
)

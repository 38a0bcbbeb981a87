"""`receipts`: what has come in, a row each, whether it was credited, waits in suspense, or went back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant, json_text
from projections.tables import Batch, Change, Execute, Index, Table
from projections.view import AT, BOOK, CURRENCY, MASK, SEQ, Column, View, amount, refused, shown
from schemas.payments_in import (
    ReceiptCredited,
    ReceiptParked,
    ReceiptRefunded,
    ReceiptReturned,
    SuspenseAged,
    SuspenseAssigned,
    SuspenseResolved,
)

RECEIPTS = Table(
    "receipts",
    (
        ("book", "text NOT NULL"),
        ("receipt", "text NOT NULL"),
        ("state", "text NOT NULL"),
        ("rail", "text NOT NULL"),
        ("nostro", "text NOT NULL"),
        ("told_account", "text NOT NULL"),
        ("account", "text"),
        ("amount", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("refunded", "bigint NOT NULL"),
        ("payer", "text NOT NULL"),
        ("payer_account", "text NOT NULL"),
        ("reference", "text NOT NULL"),
        ("end_to_end", "text NOT NULL"),
        ("value_date", "date NOT NULL"),
        ("reason", "text"),
        ("figures", "jsonb"),
        ("owner", "text"),
        ("age_days", "integer"),
        ("received_at", "timestamptz NOT NULL"),
        ("left_suspense_at", "timestamptz"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "receipt"),
    indexes=(
        Index("receipts_in_suspense", "(received_at, book) WHERE state = 'in_suspense'"),
        Index("receipts_account", "(account, book, received_at)"),
    ),
    personal=("payer", "payer_account"),
)
TABLES = (RECEIPTS,)

_NAMES = [name for name, _ in RECEIPTS.columns]
_VALUES = ["%s::jsonb" if kind.startswith("jsonb") else "%s" for _, kind in RECEIPTS.columns]
_INSERT = (
    f"INSERT INTO {{schema}}.receipts ({', '.join(_NAMES)}) VALUES ({', '.join(_VALUES)})" + RECEIPTS.again()
)


def _set(columns: str) -> str:
    return f"UPDATE {{schema}}.receipts SET {columns} WHERE book = %s AND receipt = %s"


_RESOLVED = _set("state = 'credited', account = %s, left_suspense_at = %s")
_RETURNED = _set("state = 'returned', left_suspense_at = %s")
_ASSIGNED = _set("owner = %s")
_AGED = _set("age_days = %s")
_REFUNDED = _set("refunded = %s")


def changes(batch: Batch) -> Iterator[Change]:
    """Statements in the order of the events, since each builds on the one before."""
    for event in batch.others:
        said = _said(event)
        if said is not None:
            yield Execute(said[0], [said[1]])


def _said(event: object) -> tuple[str, tuple[Any, ...]] | None:
    match event:
        case ReceiptCredited():
            return _INSERT, _row(event, "credited", event.account, None, None, None, None)
        case ReceiptParked():
            why = (event.reason, json_text(event.figures))
            return _INSERT, _row(event, "in_suspense", None, *why, event.owner, 0)
        case SuspenseResolved():
            return _RESOLVED, (event.account, instant(event.at), event.book, event.receipt)
        case ReceiptReturned():
            return _RETURNED, (instant(event.at), event.book, event.receipt)
        case SuspenseAssigned():
            return _ASSIGNED, (event.owner, event.book, event.receipt)
        case SuspenseAged():
            return _AGED, (event.days, event.book, event.receipt)
        case ReceiptRefunded():
            return _REFUNDED, (event.refunded_after, event.book, event.receipt)
        case _:
            return None


def _row(
    event: ReceiptCredited | ReceiptParked,
    state: str,
    account: str | None,
    reason: str | None,
    figures: str | None,
    owner: str | None,
    age_days: int | None,
) -> tuple[Any, ...]:
    return (
        event.book,
        event.receipt,
        state,
        event.rail,
        event.nostro,
        event.account,
        account,
        event.amount,
        event.currency,
        0,
        event.payer.name,
        event.payer.account,
        event.reference,
        event.end_to_end,
        event.value_date,
        reason,
        figures,
        owner,
        age_days,
        instant(event.at),
        None,
        event.seq,
    )


_SHOWN = {
    "book": BOOK,
    "receipt": "The rail's id for it, unique in its book.",
    "rail": "Which rail has brought it.",
    "nostro": "The nostro account at which it arrived.",
    "told_account": "For whom it came, as the rail said.",
}
_MORE = {
    "currency": CURRENCY,
    "reference": "What the payer wrote.",
    "end_to_end": "The payer's own id for it.",
    "value_date": "From when it counts.",
    "owner": "Who looks after it in suspense.",
}
_WHY = refused("Why it could not be credited when it came.", "The values behind that.")
_PAYER = Column("payer", MASK.format("t.payer"), "Who has paid; masked.")

VIEWS = (
    View(
        "receipts",
        "What has come in, and what became of it.",
        "{schema}.receipts AS t",
        (
            *shown(_SHOWN),
            *shown(
                {"state": "credited, in_suspense or returned.", "account": "The account that was credited."}
            ),
            amount("amount", "What came, above zero."),
            amount("refunded", "How much of it was refunded."),
            _PAYER,
            *shown(_MORE),
            *_WHY,
            *shown(
                {
                    "received_at": AT,
                    "left_suspense_at": "Book time at which it was resolved or returned.",
                    "seq": SEQ,
                }
            ),
        ),
    ),
    View(
        "suspense",
        "What waits in suspense, with who looks after it and how old it is.",
        "(SELECT r.*, b.at AS now FROM {schema}.receipts AS r JOIN {schema}.books AS b ON b.book = r.book "
        "WHERE r.state = 'in_suspense') AS t",
        (
            *shown(_SHOWN),
            amount("amount", "What came, above zero."),
            _PAYER,
            *shown(_MORE),
            *_WHY,
            *shown({"age_days": "The age that was last said to have been reached, in days."}),
            Column("waiting", "t.now - t.received_at", "For how long it has waited, by book time."),
            *shown({"received_at": AT, "seq": SEQ}),
        ),
    ),
)

"""`holds`: what is or was held, and what became of it. An id that is used again has its newest hold here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.copying import instant
from projections.folding import Folding
from projections.tables import Batch, Change, Index, Table
from projections.view import ACCOUNT, BOOK, CURRENCY, View, amount, shown
from schemas.holds import HoldCaptured, HoldPlaced, HoldRaised, HoldReleased

HOLDS = Table(
    "holds",
    (
        ("book", "text NOT NULL"),
        ("hold", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("captured", "bigint NOT NULL"),
        ("currency", "text NOT NULL"),
        ("counterparty", "text NOT NULL"),
        ("reference", "text NOT NULL"),
        ("placed_at", "timestamptz NOT NULL"),
        ("expires_at", "timestamptz NOT NULL"),
        ("ended_at", "timestamptz"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "hold"),
    indexes=(Index("holds_open", "(book, account, hold) WHERE status = 'open'"),),
)
TABLES = (HOLDS,)
_FOLDING = Folding(HOLDS)


def changes(batch: Batch) -> Iterator[Change]:
    """A statement for all holds that changed in the same way."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in batch.others:
        match event:
            case HoldPlaced():
                rows[event.book, event.hold] = {
                    "account": event.account,
                    "status": "open",
                    "amount": event.amount,
                    "captured": 0,
                    "currency": event.currency,
                    "counterparty": event.counterparty,
                    "reference": event.reference,
                    "placed_at": instant(event.at),
                    "expires_at": instant(event.expires_at_ms),
                    "ended_at": None,
                    "seq": event.seq,
                }
            case HoldRaised():
                rows.setdefault((event.book, event.hold), {}).update(
                    amount=event.amount_after, expires_at=instant(event.expires_at_ms), seq=event.seq
                )
            case HoldCaptured():
                row = rows.setdefault((event.book, event.hold), {})
                row.update(captured=event.captured_after, seq=event.seq)
                if not event.left:
                    row.update(status="captured", ended_at=instant(event.at))
            case HoldReleased():
                status = "expired" if event.expired else "released"
                rows.setdefault((event.book, event.hold), {}).update(
                    status=status, ended_at=instant(event.at), seq=event.seq
                )
            case _:
                pass
    yield from _FOLDING.changes(rows)


VIEWS = (
    View(
        "holds",
        "What is or was held on accounts until it is captured, released or expires.",
        "{schema}.holds AS t",
        (
            *shown(
                {
                    "book": BOOK,
                    "hold": "The hold's id.",
                    "account": ACCOUNT,
                    "status": "open, captured, released or expired.",
                }
            ),
            amount("amount", "What is held, captured parts included."),
            amount("captured", "What was captured of it."),
            *shown(
                {
                    "currency": CURRENCY,
                    "counterparty": "Who it is for; may be empty.",
                    "placed_at": "When it was placed, book time.",
                    "expires_at": "When it ends by itself, book time.",
                    "ended_at": "When it ended, book time; null while it is open.",
                    "seq": "Number of the newest event that changed it.",
                }
            ),
        ),
    ),
)

"""`positions`: what is held of each currency, what that cost, what it was worth when last valued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.tables import Batch, Change, Execute, Table
from projections.view import ACCOUNT, BOOK, CURRENCY, Column, View, shown
from schemas.exchange import Exchanged
from schemas.positions import Revalued

POSITIONS = Table(
    "positions",
    (
        ("book", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("amount", "bigint NOT NULL"),
        ("cost", "bigint NOT NULL"),
        ("realised", "bigint NOT NULL"),
        # As it was last valued.
        ("valued_on", "date"),
        ("valued_amount", "bigint"),
        ("valued_cost", "bigint"),
        ("mid", "numeric"),
        ("value", "bigint"),
        ("unrealised", "numeric GENERATED ALWAYS AS (value::numeric - valued_cost) STORED"),
        ("result", "bigint NOT NULL DEFAULT 0"),
        ("documents", "text[]"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "account"),
)
TABLES = (POSITIONS,)

_MOVED = (
    "INSERT INTO {schema}.positions (book, account, currency, amount, cost, realised, seq) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (book, account) DO UPDATE SET "
    "amount = excluded.amount, cost = excluded.cost, realised = excluded.realised, seq = excluded.seq"
)
_VALUED = (
    "UPDATE {schema}.positions SET valued_on = %s, valued_amount = %s, valued_cost = %s, mid = %s, "
    "value = %s, result = %s, documents = %s, seq = greatest(seq, %s) WHERE book = %s AND account = %s"
)


def changes(batch: Batch) -> Iterator[Change]:
    """What exchanges leave, the last of a batch only; then what revaluations found."""
    moved: dict[tuple[str, str], tuple[Any, ...]] = {}
    valued: dict[tuple[str, str], tuple[Any, ...]] = {}
    for event in batch.others:
        match event:
            case Exchanged():
                currencies = {one.account: one.currency for one in event.postings}
                for one in event.positions:
                    moved[event.book, one.account] = (
                        *(event.book, one.account, currencies[one.account]),
                        *(one.amount, one.cost, one.realised, event.seq),
                    )
            case Revalued():
                for value in event.values:
                    valued[event.book, value.account] = (
                        *(str(event.business_date), value.amount, value.cost, value.mid, value.value),
                        *(value.result, list(event.documents), event.seq, event.book, value.account),
                    )
            case _:
                pass
    for statement, rows in ((_MOVED, moved), (_VALUED, valued)):
        if rows:
            yield Execute(statement, list(rows.values()))


def _minor(name: str, comment: str, of: str = "the book's currency") -> Column:
    return Column(f"{name}_minor", f"t.{name}", f"{comment} Minor units of {of}.")


VIEWS = (
    View(
        "positions",
        "What the bank holds of each currency but the book's own, on each position account.",
        "{schema}.positions AS t",
        (
            *shown({"book": BOOK, "account": ACCOUNT, "currency": CURRENCY}),
            _minor("amount", "What is held now; negative where the bank is short.", "the currency"),
            _minor("cost", "What that cost."),
            _minor("realised", "Gained or lost so far on what is held no longer."),
            *shown({"valued_on": "The business day at whose end it was last valued; null for never."}),
            _minor("valued_amount", "What was held then.", "the currency"),
            _minor("valued_cost", "What that had cost."),
            *shown({"mid": "The rate to the book's currency then."}),
            _minor("value", "What it was worth then."),
            _minor("unrealised", "value less its cost, then."),
            _minor("result", "All that is booked as gained or lost so far."),
            *shown(
                {
                    "documents": "The table of rates that it was valued by, and its version.",
                    "seq": "Number of the newest event about it.",
                }
            ),
        ),
    ),
)

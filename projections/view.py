"""What a view of `reporting` is made of, and what columns that many views have mean."""

from __future__ import annotations

import msgspec

MASK = "CASE WHEN {0} = '' THEN '' ELSE '***' END"
BOOK = "The book: one legal entity, product line or tenant."
ACCOUNT = "The account's id, unique in its book."
CURRENCY = "ISO 4217 code, or a registered asset; reporting.currencies has its decimal places."
SEQ = "Number of the event in its book: 1, 2, 3... without a gap."
AT = "Book time of the event."
PARTY = "The party it belongs to; empty for the bank's own accounts."
LEDGER = "The line of the chart of accounts."


class Column(msgspec.Struct, frozen=True):
    """A column of a view, what it is computed from, and what it means."""

    name: str
    expression: str
    comment: str


class View(msgspec.Struct, frozen=True):
    """A view. source: what follows FROM, with `{schema}` for the schema of the read models."""

    name: str
    comment: str
    source: str
    columns: tuple[Column, ...]


def shown(comments: dict[str, str]) -> tuple[Column, ...]:
    """Columns that are shown as they are."""
    return tuple(Column(name, f"t.{name}", comment) for name, comment in comments.items())


def amount(name: str, comment: str) -> Column:
    return Column(f"{name}_minor", f"t.{name}", f"{comment} Minor units of the currency; positive is credit.")

"""What a view of `reporting` is made of, and what columns that many views have mean."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from schemas.accounts import BY_HOLDER
from schemas.withheld import DECLINED, STATUS_WITHHELD

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
    """A view. source: what follows FROM, with `{schema}` for the schema of the read models.

    for_staff: only risk staff may read it, as it tells who is looked at.
    """

    name: str
    comment: str
    source: str
    columns: tuple[Column, ...]
    for_staff: bool = False


def shown(comments: dict[str, str]) -> tuple[Column, ...]:
    """Columns that are shown as they are."""
    return tuple(Column(name, f"t.{name}", comment) for name, comment in comments.items())


def amount(name: str, comment: str) -> Column:
    return Column(f"{name}_minor", f"t.{name}", f"{comment} Minor units of the currency; positive is credit.")


_FIGURE = "coalesce(t.figures ->> '{0}', '{1}')"
_WITHHELD = (
    f"({{0}} = 'account_blocked' AND {_FIGURE.format('authority', '')} <> '{BY_HOLDER}' "
    f"OR {{0}} = 'party_not_active' AND {_FIGURE.format('status', 'blocked')} = ANY ('{{{{{{1}}}}}}'))"
)
_HIDDEN = _WITHHELD.format("t.reason", ",".join(sorted(STATUS_WITHHELD)))
_HIDDEN_WITHIN = _WITHHELD.format("t.figures ->> 'refused'", ",".join(sorted(STATUS_WITHHELD)))
TOLD_REASON = f"CASE WHEN {_HIDDEN} THEN '{DECLINED}' ELSE t.reason END"
TOLD_FIGURES = (
    f"CASE WHEN {_HIDDEN} THEN '{{}}'::jsonb WHEN t.reason = 'instruction_refused' AND {_HIDDEN_WITHIN} "
    f"THEN jsonb_build_object('index', t.figures -> 'index', 'refused', '{DECLINED}') ELSE t.figures END"
)


def refused(reason: str, figures: str) -> tuple[Column, ...]:
    """The columns `reason` and `figures` of a refusal, as `schemas/withheld.py` tells them."""
    return Column("reason", TOLD_REASON, reason), Column("figures", TOLD_FIGURES, figures)


def one_of(names: Iterable[str]) -> str:
    """An SQL list of texts of our own."""
    return ", ".join(f"'{name}'" for name in sorted(names))

"""`month_ends`: the closing balances of months whose period was closed, by line of the chart of accounts."""

from __future__ import annotations

from collections.abc import Iterator

from projections.tables import Batch, Change, Execute, Table
from schemas.closing import PeriodBalances

MONTH_ENDS = Table(
    "month_ends",
    (
        ("book", "text NOT NULL"),
        ("through", "date NOT NULL"),
        ("ledger", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("balance", "numeric NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "through", "ledger", "currency"),
)
TABLES = (MONTH_ENDS,)
_CLOSED = "INSERT INTO {schema}.month_ends VALUES (%s, %s, %s, %s, %s, %s)"


def changes(batch: Batch) -> Iterator[Change]:
    """A row for each line and currency that held anything."""
    for event in batch.others:
        if isinstance(event, PeriodBalances) and event.lines:
            yield Execute(
                _CLOSED,
                [
                    (event.book, event.through, one.ledger, one.currency, one.balance, event.seq)
                    for one in event.lines
                ],
            )

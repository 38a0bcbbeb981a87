"""`trial_balance`: turnovers and balance of every line of the chart of accounts, in each currency.

It is summed from postings, not from `accounts`, so that the two can be held against each other: a line's
balance is the sum of the accounts kept under it, and all lines of a book sum to zero in each currency.
"""

from __future__ import annotations

from collections.abc import Iterator

from projections.accounts import BALANCES
from projections.tables import Batch, Change, Execute, Table

TRIAL_BALANCE = Table(
    "trial_balance",
    (
        ("book", "text NOT NULL"),
        ("ledger", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        # Turnovers of years and sums of accounts outgrow 64 bits.
        ("debit", "numeric NOT NULL"),
        ("credit", "numeric NOT NULL"),
        ("balance", "numeric NOT NULL GENERATED ALWAYS AS (credit - debit) STORED"),
    ),
    key=("book", "ledger", "currency"),
)
TABLES = (TRIAL_BALANCE,)

_ADD = (
    "INSERT INTO {schema}.trial_balance AS t (book, ledger, currency, debit, credit) "
    "SELECT s.book, a.ledger, a.currency, sum(s.debit), sum(s.credit) "
    "FROM " + BALANCES + " AS s JOIN {schema}.accounts AS a USING (book, account) GROUP BY 1, 2, 3 "
    "ON CONFLICT (book, ledger, currency) "
    "DO UPDATE SET debit = t.debit + excluded.debit, credit = t.credit + excluded.credit"
)


def changes(batch: Batch) -> Iterator[Change]:
    """The turnovers of the batch's postings, added to their lines. `accounts` has staged them."""
    if batch.money:
        yield Execute(_ADD, [()])

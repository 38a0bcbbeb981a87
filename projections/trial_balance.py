"""`trial_balance`: turnovers and balance of every line of the chart of accounts, in each currency.

It is summed from postings, not from `accounts`, so that the two can be held against each other: a line's
balance is the sum of the accounts kept under it, and all lines of a book sum to zero in each currency.
"""

from __future__ import annotations

from projections.tables import Table

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

SETTLE = """
INSERT INTO {schema}.trial_balance AS t (book, ledger, currency, debit, credit)
SELECT s.book, a.ledger, a.currency, sum(s.debit), sum(s.credit)
FROM staged_balances AS s JOIN {schema}.accounts AS a USING (book, account) GROUP BY 1, 2, 3
ON CONFLICT (book, ledger, currency)
DO UPDATE SET debit = t.debit + excluded.debit, credit = t.credit + excluded.credit
"""
"""The turnovers that `accounts` has staged, added to their lines."""

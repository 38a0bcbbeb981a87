"""`daily_balances`: each account's movement on each business day that it moved; `ledger_days`: each line's.

Both are settled from what `accounts` has staged. A line's days are kept by booking and by value date, so that
the trial balance of any date, by either, is a sum over few rows.
"""

from __future__ import annotations

from projections.tables import Index, Table

DAILY_BALANCES = Table(
    "daily_balances",
    (
        ("book", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("business_date", "date NOT NULL"),
        ("debit", "numeric NOT NULL"),
        ("credit", "numeric NOT NULL"),
        ("closing", "bigint NOT NULL"),
        ("opening", "bigint NOT NULL GENERATED ALWAYS AS (closing - credit + debit) STORED"),
    ),
    key=("book", "account", "business_date"),
    indexes=(Index("daily_balances_day", "(book, business_date, account)"),),
)
LEDGER_DAYS = Table(
    "ledger_days",
    (
        ("book", "text NOT NULL"),
        ("ledger", "text NOT NULL"),
        ("currency", "text NOT NULL"),
        ("booking_date", "date NOT NULL"),
        ("value_date", "date NOT NULL"),
        ("debit", "numeric NOT NULL"),
        ("credit", "numeric NOT NULL"),
    ),
    key=("book", "ledger", "currency", "booking_date", "value_date"),
)
TABLES = (DAILY_BALANCES, LEDGER_DAYS)

SETTLE = (
    """
INSERT INTO {schema}.daily_balances AS t (book, account, business_date, debit, credit, closing)
SELECT s.book, s.account, s.booking_date, s.debit, s.credit, l.booked
FROM (
    SELECT book, account, booking_date, sum(debit) AS debit, sum(credit) AS credit
    FROM staged_balances GROUP BY 1, 2, 3
) AS s JOIN (
    SELECT DISTINCT ON (book, account, booking_date) book, account, booking_date, booked
    FROM staged_balances ORDER BY book, account, booking_date, seq DESC
) AS l USING (book, account, booking_date)
ON CONFLICT (book, account, business_date) DO UPDATE SET
    debit = t.debit + excluded.debit, credit = t.credit + excluded.credit, closing = excluded.closing
""",
    """
INSERT INTO {schema}.ledger_days AS t
SELECT s.book, a.ledger, a.currency, s.booking_date, s.value_date, sum(s.debit), sum(s.credit)
FROM staged_balances AS s JOIN {schema}.accounts AS a USING (book, account) GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (book, ledger, currency, booking_date, value_date) DO UPDATE SET
    debit = t.debit + excluded.debit, credit = t.credit + excluded.credit
""",
)

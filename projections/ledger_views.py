"""The views of the general ledger in `reporting`: daily balances, the chart, month ends, interest."""

from __future__ import annotations

from projections.view import ACCOUNT, BOOK, CURRENCY, LEDGER, Column, View, amount, shown

VIEWS = (
    View(
        "daily_balances",
        "Every account on every business day on which it moved. Other days close as the day before.",
        "{schema}.daily_balances AS t JOIN {schema}.accounts AS a USING (book, account)",
        (
            *shown({"book": BOOK, "account": ACCOUNT, "business_date": "The day, by booking date."}),
            Column("currency", "a.currency", CURRENCY),
            amount("opening", "Booked balance at the end of the day before."),
            Column("debit_minor", "t.debit", "Sum of the day's debits. Minor units, never negative."),
            Column("credit_minor", "t.credit", "Sum of the day's credits. Minor units, never negative."),
            amount("closing", "Booked balance at the end of the day."),
        ),
    ),
    View(
        "chart",
        "The chart of accounts in force, as a tree.",
        "{schema}.chart AS t",
        shown(
            {
                "book": BOOK,
                "ledger": LEDGER,
                "name": "What the line is called.",
                "kind": "The kind of account below it; null where other lines are.",
                "parent": "The line that it sums up to; empty at the top.",
                "side": "debit or credit: where its balance usually is.",
            }
        ),
    ),
    View(
        "month_ends",
        "Closing balances of months whose period was closed, by value date. They sum to zero per currency.",
        "{schema}.month_ends AS t",
        (
            *shown(
                {"book": BOOK, "through": "The month's last day.", "ledger": LEDGER, "currency": CURRENCY}
            ),
            amount("balance", "What the line held."),
            *shown({"seq": "Number of the event that closed it."}),
        ),
    ),
    View(
        "interest",
        "What interest-bearing accounts have accrued, and what was booked to them.",
        "{schema}.interest AS t JOIN {schema}.accounts AS a USING (book, account)",
        (
            *shown({"book": BOOK, "account": ACCOUNT}),
            Column("product", "a.product", "Product code, whose document says the rates."),
            Column("currency", "a.currency", CURRENCY),
            *shown(
                {
                    "since": "The first day that accrued anything.",
                    "through": "The last day that accrued anything.",
                }
            ),
            amount("credit", "Accrued to the account and not booked yet."),
            Column("debit_minor", "t.debit", "Accrued against it and not booked yet. Minor units."),
            Column("paid_minor", "t.paid", "Credit interest booked so far. Minor units."),
            Column("charged_minor", "t.charged", "Debit interest booked so far. Minor units."),
            *shown(
                {
                    "capitalised_through": "The last day whose interest is booked.",
                    "seq": "Number of the newest event about its interest.",
                }
            ),
        ),
    ),
)

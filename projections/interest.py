"""`interest`: what each account has accrued and been paid; `product_interest`: what products pay."""

from __future__ import annotations

from collections.abc import Iterator

from projections.copying import cell, instant, json_text, rows_of
from projections.tables import Batch, Change, Execute, Stage, Staging, Table
from schemas.interest import InterestAccrued, InterestCapitalised
from schemas.publishing import DocumentPublished

INTEREST = Table(
    "interest",
    (
        ("book", "text NOT NULL"),
        ("account", "text NOT NULL"),
        ("since", "date"),
        ("through", "date"),
        ("credit", "bigint NOT NULL"),
        ("credit_rest", "bigint NOT NULL"),
        ("debit", "bigint NOT NULL"),
        ("debit_rest", "bigint NOT NULL"),
        ("paid", "numeric NOT NULL"),
        ("charged", "numeric NOT NULL"),
        ("capitalised_through", "date"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "account"),
    options="fillfactor=80",  # nearly every row is updated every day
)
PRODUCT_INTEREST = Table(
    "product_interest",
    (
        ("book", "text NOT NULL"),
        ("product", "text NOT NULL"),
        ("version", "integer NOT NULL"),
        ("effective_from", "timestamptz NOT NULL"),
        ("interest", "jsonb NOT NULL"),
    ),
    key=("book", "product", "version"),
)
TABLES = (INTEREST, PRODUCT_INTEREST)

ACCRUED = Staging(
    "staged_interest",
    'book text COLLATE "C", account text COLLATE "C", seq bigint, accrued date, credit bigint, '
    "credit_rest bigint, debit bigint, debit_rest bigint, paid bigint, charged bigint, capitalised date",
)
"""What an event changes about an account's interest; nothing in a column that it leaves alone."""


def _newest(column: str) -> str:
    return f"(array_agg({column} ORDER BY seq DESC) FILTER (WHERE {column} IS NOT NULL))[1] AS {column}"


SETTLE = (
    """
INSERT INTO {schema}.interest
SELECT DISTINCT book, account, NULL::date, NULL::date, 0, 0, 0, 0, 0, 0, NULL::date, 0 FROM staged_interest
ON CONFLICT (book, account) DO NOTHING
""",
    f"""
UPDATE {{schema}}.interest AS t SET
    since = coalesce(t.since, s.since), through = greatest(t.through, s.through),
    credit = coalesce(s.credit, t.credit), credit_rest = coalesce(s.credit_rest, t.credit_rest),
    debit = coalesce(s.debit, t.debit), debit_rest = coalesce(s.debit_rest, t.debit_rest),
    paid = t.paid + s.paid, charged = t.charged + s.charged,
    capitalised_through = greatest(t.capitalised_through, s.capitalised), seq = s.seq
FROM (
    SELECT book, account, min(accrued) AS since, max(accrued) AS through, {_newest("credit")},
        {_newest("credit_rest")}, {_newest("debit")}, {_newest("debit_rest")},
        coalesce(sum(paid), 0) AS paid, coalesce(sum(charged), 0) AS charged,
        max(capitalised) AS capitalised, max(seq) AS seq
    FROM staged_interest GROUP BY book, account
) AS s WHERE t.book = s.book AND t.account = s.account
""",
)
_REPLACED = (
    "DELETE FROM {schema}.product_interest "
    "WHERE book = %s AND product = %s AND effective_from >= %s::timestamptz"
)
_PUBLISHED = "INSERT INTO {schema}.product_interest VALUES (%s, %s, %s, %s::timestamptz, %s::jsonb)"


def changes(batch: Batch) -> Iterator[Change]:
    """Versions of products, then what accounts accrued and were paid."""
    lines: list[str] = []
    for event in batch.others:
        if isinstance(event, DocumentPublished) and event.kind == "product":
            # What was to take effect later never will.
            since = instant(event.effective_from_ms)
            yield Execute(_REPLACED, [(event.book, event.document, since)])
            interest = json_text(event.body.get("interest", []))
            yield Execute(_PUBLISHED, [(event.book, event.document, event.version, since, interest)])
        elif isinstance(event, InterestAccrued):
            head, tail = f"{cell(event.book)}\t", f"\t{event.seq}\t{event.business_date}\t"
            lines += [
                f"{head}{cell(one.account)}{tail}{one.accrued}\t{one.rest}\t\\N\t\\N\t\\N\t\\N\t\\N\n"
                for one in event.credits
            ]
            lines += [
                f"{head}{cell(one.account)}{tail}\\N\t\\N\t{one.accrued}\t{one.rest}\t\\N\t\\N\t\\N\n"
                for one in event.debits
            ]
        elif isinstance(event, InterestCapitalised):
            head, tail = f"{cell(event.book)}\t", f"\t{event.through}\n"
            lines += [
                f"{head}{cell(one.account)}\t{event.seq}\t\\N\t{one.credit_left}\t\\N\t{one.debit_left}\t\\N\t"
                f"{one.credit}\t{one.debit}{tail}"
                for one in event.capitalised
            ]
    if lines:
        yield Stage(ACCRUED, rows_of(lines))

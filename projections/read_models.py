"""Every read model in one place, in the order in which their changes are made.

Add a capability by adding its module to `MODELS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from projections import (
    access,
    accounts,
    approvals,
    audit,
    books,
    bulks,
    business_days,
    case_parts,
    case_reports,
    cases,
    charts,
    closing,
    commands,
    cross_book,
    daily_balances,
    documents,
    entries,
    exchange,
    fees,
    flags,
    holds,
    interest,
    limits,
    orders,
    parties,
    payments,
    payments_in,
    positions,
    reviews,
    risk,
    stops,
    trial_balance,
    value_dates,
)
from projections.tables import Batch, Change, Staging, Table, digest_of

CHANGES: tuple[Callable[[Batch], Iterator[Change]], ...] = (
    audit.changes,
    commands.changes,
    entries.changes,
    books.changes,
    business_days.changes,
    charts.changes,
    closing.changes,
    interest.changes,
    access.changes,
    approvals.changes,
    documents.changes,
    cross_book.changes,
    bulks.changes,
    orders.changes,
    payments_in.changes,
    parties.changes,
    accounts.changes,
    holds.changes,
    payments.changes,
    risk.changes,
    stops.changes,
    exchange.changes,
    positions.changes,
    value_dates.changes,
    limits.changes,
    fees.changes,
    cases.changes,
    case_parts.changes,
    case_reports.changes,
    flags.changes,
    reviews.changes,
)
STAGINGS: tuple[Staging, ...] = (accounts.BALANCES, accounts.HELD, interest.ACCRUED, limits.USED)
SETTLE: tuple[str, ...] = (
    accounts.SETTLE,
    accounts.SETTLE_HELD,
    trial_balance.SETTLE,
    *daily_balances.SETTLE,
    *interest.SETTLE,
    *limits.SETTLE,
)
"""The statements that bring what is staged into the tables."""
TABLES: tuple[Table, ...] = (
    *audit.TABLES,
    *commands.TABLES,
    *entries.TABLES,
    *books.TABLES,
    *business_days.TABLES,
    *charts.TABLES,
    *closing.TABLES,
    *interest.TABLES,
    *daily_balances.TABLES,
    *access.TABLES,
    *approvals.TABLES,
    *documents.TABLES,
    *cross_book.TABLES,
    *bulks.TABLES,
    *orders.TABLES,
    *payments_in.TABLES,
    *parties.TABLES,
    *accounts.TABLES,
    *holds.TABLES,
    *payments.TABLES,
    *risk.TABLES,
    *stops.TABLES,
    *trial_balance.TABLES,
    *exchange.TABLES,
    *positions.TABLES,
    *value_dates.TABLES,
    *limits.TABLES,
    *fees.TABLES,
    *cases.TABLES,
    *case_parts.TABLES,
    *case_reports.TABLES,
    *flags.TABLES,
    *reviews.TABLES,
)
DIGEST = digest_of(TABLES)
"""Where the one stored with the tables differs, the read models are to be built anew."""


def changes_of(batch: Batch) -> list[Change]:
    """All that a batch changes, in order."""
    return [change for changes in CHANGES for change in changes(batch)]

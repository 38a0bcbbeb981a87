"""What `evolve` counts when money moves. It costs nothing but a glance where no rule asks for anything."""

from __future__ import annotations

from book.features.counts import AccountCounts, Keeping, PartyCounts
from book.features.windows import DAY, DAY_MS, HOUR, HOUR_MS, MONTH, WEEK, Window
from book.state import Account, Book


def paid(book: Book, keeping: Keeping, account_id: str, amount: int, at_ms: int) -> None:
    """Money is asked to leave a customer's account; whatever becomes of it, it counts."""
    account = book.accounts[account_id]
    if account.kind != "customer":
        return
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    _out(keeping, counts, amount, at_ms)
    if keeping.last:
        counts.last_out_ms = at_ms
    if keeping.party_out_24h or keeping.party_out_7d:
        _of_party(book, keeping, account, amount, at_ms)


def _out(keeping: Keeping, counts: AccountCounts, amount: int, at_ms: int) -> None:
    if keeping.out_1h:
        window = counts.out_1h
        if window is None:
            counts.out_1h = window = Window()
        window.add(at_ms // HOUR.width_ms, HOUR.slices, amount)
    if keeping.out_24h:
        window = counts.out_24h
        if window is None:
            counts.out_24h = window = Window()
        window.add(at_ms // HOUR_MS, DAY.slices, amount)
    if keeping.out_7d:
        window = counts.out_7d
        if window is None:
            counts.out_7d = window = Window()
        window.add(at_ms // DAY_MS, WEEK.slices, amount)
    if keeping.out_30d:
        window = counts.out_30d
        if window is None:
            counts.out_30d = window = Window()
        window.add(at_ms // DAY_MS, MONTH.slices, amount)


def _of_party(book: Book, keeping: Keeping, account: Account, amount: int, at_ms: int) -> None:
    party = book.parties[account.party]
    counts = party.counts
    if counts is None:
        party.counts = counts = PartyCounts(account.currency)
    if counts.currency != account.currency:
        if counts.others is None:
            counts.others = {}
        counts = counts.others.setdefault(account.currency, PartyCounts(account.currency))
    if keeping.party_out_24h:
        window = counts.out_24h
        if window is None:
            counts.out_24h = window = Window()
        window.add(at_ms // HOUR_MS, DAY.slices, amount)
    if keeping.party_out_7d:
        window = counts.out_7d
        if window is None:
            counts.out_7d = window = Window()
        window.add(at_ms // DAY_MS, WEEK.slices, amount)


def received(book: Book, keeping: Keeping, account_id: str, amount: int, at_ms: int) -> None:
    """Money has reached a customer's account."""
    account = book.accounts[account_id]
    if account.kind != "customer":
        return
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    if keeping.in_24h:
        window = counts.in_24h
        if window is None:
            counts.in_24h = window = Window()
        window.add(at_ms // HOUR_MS, DAY.slices, amount)
    if keeping.in_7d:
        window = counts.in_7d
        if window is None:
            counts.in_7d = window = Window()
        window.add(at_ms // DAY_MS, WEEK.slices, amount)
    if keeping.last:
        counts.last_in_ms = at_ms

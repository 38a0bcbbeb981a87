"""What reserves funds and uses up limits, whatever event says so. Figures travel with the event."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from book.state import Book
from book.usage import Tally, Usage
from schemas.reserves import Reserve, Use


def reserve(book: Book, reserves: Sequence[Reserve]) -> None:
    """Assign what is held after, which must be what was held before plus the amount."""
    accounts = book.accounts
    for one in reserves:
        account = accounts[one.account]
        held = account.held + one.amount
        assert held == one.held >= 0, "what is held follows from what was held before"
        account.held = held


def use(book: Book, uses: Sequence[Use]) -> None:
    """Assign what each slice of a limit or package holds afterwards."""
    accounts = book.accounts
    for one in uses:
        if one.by == "account":
            usages = accounts[one.key].usage
            if usages is not None:
                usage = usages.get(one.limit)
                if usage is not None and usage.bucket == one.bucket:  # nearly always
                    usage.total = one.total
                    usage.reserved = one.reserved
                    continue
        _use(book, one)


@functools.lru_cache(maxsize=256)
def _same(bucket: int) -> int:
    """The same number, but one object for all who count in it: less memory, and near at hand."""
    return bucket


def _use(book: Book, one: Use) -> None:
    if one.by not in ("account", "party"):
        tally = book.usage.get(one.limit)
        if tally is None:
            book.usage[one.limit] = tally = Tally()
        tally.assign(one.key, one.bucket, one.first, one.total, one.reserved)
        return
    holder = book.accounts[one.key] if one.by == "account" else book.parties[one.key]
    if holder.usage is None:
        holder.usage = {}
    usage = holder.usage.get(one.limit)
    if usage is None:
        _forget(holder.usage, one.limit)
        holder.usage[one.limit] = Usage(_same(one.bucket), one.total, one.reserved)
    else:
        usage.assign(_same(one.bucket), one.first, one.total, one.reserved)


def _forget(usages: dict[str, Usage], limit: str) -> None:
    """Drop what the same line counted when it counted something else. A new key is the moment to look."""
    name, _, version = limit.rpartition("@")
    if name and version != "1":
        for key in [one for one in usages if one.rpartition("@")[0] == name]:
            del usages[key]


def slice_of(book: Book, limit: str, by: str, key: str, bucket: int) -> tuple[int, int] | None:
    """Total and reserved of one slice of a limit or package; None where it counts no longer."""
    if by not in ("account", "party"):
        tally = book.usage.get(limit)
        return None if tally is None else tally.slice_of(bucket, key)
    holder = book.accounts[key] if by == "account" else book.parties[key]
    usage = (holder.usage or {}).get(limit)
    return None if usage is None else usage.slice_of(bucket)

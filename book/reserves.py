"""What reserves funds and uses up limits, whatever event says so. Figures travel with the event."""

from __future__ import annotations

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
    for one in uses:
        limit = one.limit
        if one.by == "account":
            account = book.accounts[one.key]
            usages = account.usage
            if usages is None:
                account.usage = usages = {}
        elif one.by == "party":
            party = book.parties[one.key]
            usages = party.usage
            if usages is None:
                party.usage = usages = {}
        else:
            tally = book.usage.get(limit)
            if tally is None:
                book.usage[limit] = tally = Tally()
            tally.assign(one.key, one.bucket, one.first, one.total, one.reserved)
            continue
        usage = usages.get(limit)
        if usage is None:
            _forget(usages, limit)
            usages[limit] = Usage(one.bucket, one.total, one.reserved)
        elif usage.bucket == one.bucket:
            usage.total = one.total
            usage.reserved = one.reserved
        else:
            usage.assign(one.bucket, one.first, one.total, one.reserved)


def _forget(usages: dict[str, Usage], limit: str) -> None:
    """Drop what the same line counted when it counted something else. A new key is the moment to look."""
    name, counts, _ = limit.rpartition("@")
    if counts:
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

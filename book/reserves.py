"""What reserves funds and uses up limits, whatever event says so. Figures travel with the event."""

from __future__ import annotations

from collections.abc import Sequence

from book.state import Book
from book.usage import Usage
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
        usages, key = usages_of(book, one.by, one.limit, one.key)
        usage = usages.get(key)
        if usage is None:
            usages[key] = Usage(one.bucket, one.total, one.reserved)
        else:
            usage.assign(one.bucket, one.first, one.total, one.reserved)


def usages_of(book: Book, by: str, limit: str, key: str) -> tuple[dict[str, Usage], str]:
    """Where a count is kept, and under which key: with its account or party, or in the book."""
    if by == "account":
        account = book.accounts[key]
        if account.usage is None:
            account.usage = {}
        return account.usage, limit
    if by == "party":
        party = book.parties[key]
        if party.usage is None:
            party.usage = {}
        return party.usage, limit
    return book.usage, f"{limit}\n{by}\n{key}"

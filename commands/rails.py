"""What is asked of a rail's document that only the book can tell: whether what it names is there."""

from __future__ import annotations

from collections.abc import Iterator

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.document import Problem
from schemas.documents.rails import Rail

KINDS: dict[str, tuple[str, ...]] = {
    "nostro": ("nostro",),
    "in_transit": ("suspense", "nostro"),
    "suspense": ("suspense",),
}
"""Of which kinds each of a rail's accounts may be."""


def check_rail(book: Book, rail: Rail) -> Iterator[Problem]:
    """The adapter is a system, and the accounts are the bank's own, open, of the right kind and currency."""
    adapter = book.actors.get(rail.adapter)
    if adapter is None or adapter.person:
        yield Problem("adapter", f"there is no system {rail.adapter}")
    if rail.calendar is not None and rail.calendar not in book.in_force.calendars:
        yield Problem("calendar", f"there is no calendar {rail.calendar} in force")
    for index, one in enumerate(rail.currencies):
        path = f"currencies[{index}]"
        if not knows_currency(book, one.currency):
            yield Problem(f"{path}.currency", f"there is no currency {one.currency}")
            continue
        for name, kinds in KINDS.items():
            account_id = getattr(one, name)
            account = book.accounts.get(account_id)
            if account is None or not account.is_open:
                yield Problem(f"{path}.{name}", f"there is no open account {account_id}")
            elif account.kind not in kinds:
                yield Problem(f"{path}.{name}", f"{account_id} is not of kind {' or '.join(kinds)}")
            elif account.currency != one.currency:
                yield Problem(f"{path}.{name}", f"{account_id} is not kept in {one.currency}")

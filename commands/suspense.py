"""What is asked of a suspense document that only the book can tell: whether its accounts are there."""

from __future__ import annotations

from collections.abc import Iterator

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.document import Problem
from schemas.documents.suspense import Suspense


def check_suspense(book: Book, document: Suspense) -> Iterator[Problem]:
    """Each account is open, of kind suspense, and kept in its currency."""
    for currency, name in document.accounts.items():
        path = f"accounts.{currency}"
        account = book.accounts.get(name)
        if not knows_currency(book, currency):
            yield Problem(path, f"there is no currency {currency}")
        elif account is None or account.kind != "suspense" or not account.is_open:
            yield Problem(path, f"there is no open suspense account {name}")
        elif account.currency != currency:
            yield Problem(path, f"{name} is kept in {account.currency}")

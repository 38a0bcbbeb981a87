"""What is asked of a product's interest that only the book can tell: the accounts that it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from book.state import Book
from commands.decision import knows_currency
from schemas.documents.document import Problem
from schemas.documents.interest import InterestSide
from schemas.documents.kinds import known
from schemas.documents.products import Product
from schemas.fields import AccountKind


def interest_checks(book: Book, product: Product) -> Iterator[Problem]:
    """Whether the accounts are there, open, of the right kind and currency."""
    for index, one in enumerate(product.interest):
        path = f"interest[{index}]"
        if not knows_currency(book, one.currency):
            yield Problem(f"{path}.currency", f"there is no currency {one.currency}")
        if one.calendar is not None and one.calendar not in book.in_force.calendars:
            yield Problem(f"{path}.calendar", f"there is no calendar {one.calendar} in force")
        for name, side, kind in (("credit", one.credit, "expense"), ("debit", one.debit, "income")):
            if side is not None:
                of = f"{path}.{name}"
                yield from _account(book, f"{of}.booked_on", side.booked_on, kind, one.currency)  # type: ignore[arg-type]
                yield from _account(book, f"{of}.accrued_on", side.accrued_on, "accrued", one.currency)


def _account(book: Book, path: str, account_id: str, kind: AccountKind, currency: str) -> Iterator[Problem]:
    account = book.accounts.get(account_id)
    if account is None or not account.is_open:
        yield Problem(path, f"there is no open account {account_id}")
    elif account.kind != kind:
        yield Problem(path, f"{account_id} is of kind {account.kind}, and has to be of kind {kind}")
    elif account.currency != currency:
        yield Problem(path, f"{account_id} is kept in {account.currency}, not in {currency}")


def interest_against_earlier(book: Book, product_id: str, product: Product) -> Iterator[Problem]:
    """What has accrued stays where it is until it is booked, so the account for it cannot change."""
    earlier = _accrued_on(book, product_id)
    for index, one in enumerate(product.interest):
        for name, side in (("credit", one.credit), ("debit", one.debit)):
            before = earlier.get((one.currency, name))
            if side is not None and before is not None and side.accrued_on != before:
                path = f"interest[{index}].{name}.accrued_on"
                yield Problem(path, f"it cannot change: earlier versions accrue on {before}")


def _accrued_on(book: Book, product_id: str) -> dict[tuple[str, str], str]:
    """The accounts that versions in force, before or to come accrue on, by currency and side."""
    found: dict[tuple[str, str], str] = {}
    for key, history in book.in_force.interest.items():
        product, currency = key.split("\n")
        if product == product_id:
            for terms in history:
                found |= {
                    (currency, name): side.accrued_on
                    for name, side in (("credit", terms.credit), ("debit", terms.debit))
                    if side is not None
                }
    shelf = book.documents.get(f"product/{product_id}")
    for version in shelf.pending.values() if shelf is not None else ():
        body: Any = known("product", version.body)
        for one in body.interest:
            sides: tuple[tuple[str, InterestSide | None], ...] = (
                ("credit", one.credit),
                ("debit", one.debit),
            )
            found |= {(one.currency, name): side.accrued_on for name, side in sides if side is not None}
    return found

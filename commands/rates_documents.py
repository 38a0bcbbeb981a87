"""What only the book can tell about a table of rates: its currencies, its accounts, its other tables."""

from __future__ import annotations

from collections.abc import Iterator

from book import rates
from book.state import Book
from commands.decision import knows_currency
from commands.rates import mid_of
from schemas.documents.document import Problem
from schemas.documents.rates import Rates
from schemas.fields import AccountKind


def check_rates(book: Book, body: Rates) -> Iterator[Problem]:
    """Currencies that the book knows, with a way to its own; accounts of the right kind and currency."""
    unknown: set[str] = set()
    for index, pair in enumerate(body.pairs):
        for name, currency in (("base", pair.base), ("quote", pair.quote)):
            if not knows_currency(book, currency):
                unknown.add(currency)
                yield Problem(f"pairs[{index}].{name}", f"there is no currency {currency}")
    table = rates.in_force("", 0, body)
    for currency in body.currencies():
        if currency not in unknown | {book.currency} and mid_of(table, currency, book.currency) is None:
            yield Problem("pairs", f"{currency} has no rate to {book.currency}, in which positions are kept")
    for currency, account_id in body.positions.items():
        yield from _account(book, f"positions.{currency}", account_id, ("fx_position",), currency)
    revaluation = body.revaluation
    if revaluation is None:
        return
    kinds: tuple[tuple[str, str, tuple[AccountKind, ...]], ...] = (
        ("income", revaluation.income, ("income",)),
        ("expense", revaluation.expense, ("expense",)),
        ("contra", revaluation.contra, ("fx_position", "suspense")),
    )
    for name, account_id, allowed in kinds:
        yield from _account(book, f"revaluation.{name}", account_id, allowed, book.currency)
    if revaluation.contra in body.positions.values():
        yield Problem("revaluation.contra", f"{revaluation.contra} is a position")


def _account(
    book: Book, path: str, account_id: str, kinds: tuple[AccountKind, ...], currency: str
) -> Iterator[Problem]:
    account = book.accounts.get(account_id)
    if account is None or not account.is_open:
        yield Problem(path, f"there is no open account {account_id}")
    elif account.kind not in kinds:
        yield Problem(path, f"{account_id} is of kind {account.kind}, not {' or '.join(kinds)}")
    elif account.currency != currency:
        yield Problem(path, f"{account_id} is kept in {account.currency}, not in {currency}")


def against_earlier(book: Book, document: str, body: Rates) -> Iterator[Problem]:
    """What has a position needs a rate and keeps its account, and one table revalues."""
    other = next(
        (
            name
            for name, shelf in book.documents.items()
            if name.startswith("rates/")
            and name != f"rates/{document}"
            and any(
                one.get("revaluation")
                for one in (shelf.body, *(late.body for late in shelf.pending.values()))
            )
        ),
        None,
    )
    if body.revaluation is not None and other is not None:
        yield Problem("revaluation", f"{other} revalues already")
    earlier = book.in_force.rates.get(document)
    if earlier is None:
        return
    for currency, account_id in earlier.rates.positions.items():
        held = book.fx.positions.get(account_id)
        if held is not None and held.amount and body.positions.get(currency) != account_id:
            yield Problem(
                f"positions.{currency}", f"{account_id} still holds {held.amount}; it stays until it is empty"
            )


def rates_naming(book: Book, account_id: str) -> str:
    """A table of rates, in force or to come, that books on this account; empty for none."""
    for name, shelf in book.documents.items():
        if name.startswith("rates/"):
            for body in (shelf.body, *(late.body for late in shelf.pending.values())):
                named = (*body.get("positions", {}).values(), *(body.get("revaluation") or {}).values())
                if account_id in named:
                    return name
    return ""

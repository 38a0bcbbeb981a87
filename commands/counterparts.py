"""What both ends of a payment between books ask: who speaks for the other one, and which accounts it touches.

The engine cannot read another book. What a relay says about one is taken on the word of the system that the
agreement between the books names, and of nobody else; `replay verify` compares the two sides afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from book.state import Account, Book
from commands.accounts import blocked as barred
from commands.accounts import is_blocked
from commands.decision import knows_currency
from commands.transfers import unfit
from schemas.documents.counterparts import Counterpart
from schemas.documents.document import Problem
from schemas.fields import INT64_MAX
from schemas.message import Command, Date
from schemas.postings import Posting
from schemas.rejections import Rejection, reject

Legs = Sequence[tuple[str, int]]
"""(account, signed amount) of each posting."""


def not_from_relay(book: Book, other: str, command: Command) -> Rejection | None:
    """counterpart_not_found or not_the_relay, or None."""
    agreed = book.in_force.counterparts.get(other)
    if agreed is None:
        return reject("counterpart_not_found", counterpart=other, currency="any currency")
    if command.actor != agreed.relay:
        return reject("not_the_relay", actor=command.actor, counterpart=other)
    return None


def unfit_for_crossing(name: str, account: Account, currency: str) -> Rejection | None:
    if refused := unfit(name, account, currency):
        return refused
    if account.kind == "inter_book":
        return reject(
            "account_kind_mismatch", detail="An inter-book account is on no end of a payment between books."
        )
    return None


def open_date(book: Book, wanted: Date) -> Date:
    """The date nearest to the wanted one that can still be a value date."""
    return max(book.open_from, min(wanted, book.business_date))


def chained(book: Book, legs: Legs) -> tuple[Posting, ...] | Rejection:
    """The postings with the balance after each, or overflow."""
    balances: dict[str, int] = {}
    postings = []
    for name, amount in legs:
        account = book.accounts[name]
        balances[name] = after = balances.get(name, account.booked) + amount
        if abs(after) > INT64_MAX:
            return reject("overflow", account=name)
        postings.append(Posting(name, amount, account.currency, after))
    return tuple(postings)


def blocked(book: Book, debit: str, credit: str, at_ms: int) -> Rejection | None:
    """account_blocked, or None. The account that pays is asked first."""
    if is_blocked(book.accounts[debit], "debits", at_ms):
        return barred(debit, book.accounts[debit], "debits", at_ms)
    if is_blocked(book.accounts[credit], "credits", at_ms):
        return barred(credit, book.accounts[credit], "credits", at_ms)
    return None


def check_counterpart(book: Book, document: Counterpart) -> Iterator[Problem]:
    """What of an agreement only the book can tell."""
    if document.book == book.id:
        yield Problem("book", "a book makes no payments between itself and itself")
    relay = book.actors.get(document.relay)
    if relay is None or relay.person:
        yield Problem("relay", f"there is no system {document.relay}")
    elsewhere = {
        account: known["book"]
        for name, shelf in book.documents.items()
        if name.startswith("counterpart/")
        for known in (shelf.body, *(version.body for version in shelf.pending.values()))
        if known and known["book"] != document.book
        for account in known["accounts"].values()
    }
    for currency, name in document.accounts.items():
        path = f"accounts.{currency}"
        account = book.accounts.get(name)
        if not knows_currency(book, currency):
            yield Problem(path, f"there is no currency {currency}")
        elif account is None or account.kind != "inter_book" or not account.is_open:
            yield Problem(path, f"there is no open inter-book account {name}")
        elif account.currency != currency:
            yield Problem(path, f"{name} is kept in {account.currency}")
        elif name in elsewhere:
            yield Problem(path, f"{name} is the account for the book {elsewhere[name]}")

"""What changes the interest of accounts: movements by value date, accruals, capitalisation, new terms."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import msgspec

from book.accruals import REMEMBERED_DAYS, Bearing, InterestInForce, Side
from book.dates import months_later
from book.state import Account, Book
from book.transfers import post
from schemas.documents.interest import Interest, InterestSide
from schemas.documents.products import Product
from schemas.interest import RATE_SCALE, UNITS, Accrual, InterestAccrued, InterestCapitalised
from schemas.message import Date
from schemas.postings import MoneyEvent


def interest_key(product: str, currency: str) -> str:
    """Under which the interest of a product in a currency is found. No id holds a line feed."""
    return f"{product}\n{currency}"


def interest_moved(book: Book, event: MoneyEvent) -> None:
    """Money moved: interest-bearing accounts remember it by its value date. Whoever moved it, and why."""
    accounts = book.accounts
    for posting in event.postings:
        interest = accounts[posting.account].interest
        if interest is not None:
            interest.move(event.value_date.toordinal(), posting.amount)


def opened(book: Book, account_id: str, account: Account) -> None:
    """The account is new, or its product is: it bears interest from today on, if its product says so."""
    terms = book.in_force.interest.get(interest_key(account.product, account.currency))
    if not terms or account.kind != "customer":
        return
    today = book.business_date.toordinal()
    months = terms[-1].term_months
    matures = months_later(book.business_date, months).toordinal() if months else 0
    account.interest = Bearing(through=today - 1, known=today, matures=matures)
    book.end_of_day.bearing.append(account_id)


def closed(book: Book, account: Account) -> None:
    """The account bears no interest any more."""
    if account.interest is not None:
        account.interest = None
        book.end_of_day.ended += 1


def product_in_force(book: Book, product_id: str, product: Product) -> None:
    """The product's interest holds from today on; accounts that it had before begin to bear it."""
    today = book.business_date.toordinal()
    terms_of = book.in_force.interest
    added = {interest_key(product_id, one.currency): _compiled(one, today) for one in product.interest}
    begun = added.keys() - terms_of.keys()
    for key, terms in terms_of.items():
        if key not in added and key.startswith(f"{product_id}\n"):
            added[key] = msgspec.structs.replace(
                terms[-1], from_day=today, term_months=None, credit=None, debit=None
            )
    for key, one in added.items():
        history = terms_of.setdefault(key, [])
        if history and history[-1].from_day == today:
            del history[-1]
        history.append(one)
    if begun:
        for account_id, account in book.accounts.items():
            if account.product == product_id and account.is_open and account.interest is None:
                opened(book, account_id, account)


def _compiled(interest: Interest, from_day: int) -> InterestInForce:
    return InterestInForce(
        from_day,
        interest.day_count,
        interest.capitalised,
        interest.term_months,
        compiled_side(interest.credit),
        compiled_side(interest.debit),
        interest.calendar or "",
        interest.convention,
    )


def compiled_side(side: InterestSide | None) -> Side | None:
    """A side with its rates as exact integers."""
    if side is None:
        return None
    return Side(
        tuple(tier.from_minor for tier in side.tiers),
        tuple(int(Decimal(tier.rate) * RATE_SCALE) for tier in side.tiers),  # exact: 12 places at most
        side.method == "whole",
        side.booked_on,
        side.accrued_on,
    )


def terms_on(book: Book, key: str, day: int) -> InterestInForce:
    """The interest that held on that day, or the oldest that is remembered."""
    history = book.in_force.interest[key]
    for terms in reversed(history):
        if terms.from_day <= day:
            return terms
    return history[0]


def side_of(book: Book, key: str, name: Literal["credit", "debit"]) -> Side | None:
    """The newest terms of that side, which say where it is accrued, also of a product that has it no more."""
    for terms in reversed(book.in_force.interest[key]):
        side = terms.credit if name == "credit" else terms.debit
        if side is not None:
            return side
    return None


def books_interest_on(book: Book, account_id: str) -> str:
    """A product whose interest is, was or will be booked on this account or accrued there; empty for none."""
    for key, history in book.in_force.interest.items():
        for terms in history:
            for side in (terms.credit, terms.debit):
                if side is not None and account_id in (side.booked_on, side.accrued_on):
                    return key.partition("\n")[0]
    for name, shelf in book.documents.items():
        kind, _, product = name.partition("/")
        for version in shelf.pending.values() if kind == "product" else ():
            for one in version.body["interest"]:
                for body in (one["credit"], one["debit"]):
                    if body is not None and account_id in (body["booked_on"], body["accrued_on"]):
                        return product
    return ""


def keep_from(open_from: Date, day: int) -> int:
    """The first day whose movements are still told apart when `day` is accrued."""
    return max(min(open_from.toordinal(), day), day - REMEMBERED_DAYS)


def interest_accrued(book: Book, event: InterestAccrued) -> None:
    """The slice's accounts are accrued through the day; the sums are posted."""
    post(book, event.postings)
    day = event.business_date.toordinal()
    first_kept = keep_from(book.open_from, day)
    accounts = book.accounts
    for one in event.credits:
        interest = _bearing(accounts, one)
        assert interest.credit + one.amount == one.accrued, "what is accrued follows from the day before"
        interest.credit, interest.credit_rest = one.accrued, one.rest
    for one in event.debits:
        interest = _bearing(accounts, one)
        assert interest.debit + one.amount == one.accrued, "what is accrued follows from the day before"
        interest.debit, interest.debit_rest = one.accrued, one.rest
    for account_id in book.end_of_day.bearing[event.first : event.last]:
        bearing = accounts[account_id].interest
        if bearing is not None and bearing.through < day:
            bearing.accrued(day, first_kept)


def _bearing(accounts: dict[str, Account], one: Accrual) -> Bearing:
    interest = accounts[one.account].interest
    assert interest is not None, "only an account that bears interest accrues it"
    assert 0 <= one.rest < UNITS, "what is carried is less than a minor unit"
    return interest


def interest_capitalised(book: Book, event: InterestCapitalised) -> None:
    """What had accrued is booked to the accounts."""
    post(book, event.postings)
    for one in event.capitalised:
        interest = book.accounts[one.account].interest
        assert interest is not None, "only an account that bears interest is paid any"
        assert interest.credit - one.credit == one.credit_left, "what is left follows from what was accrued"
        assert interest.debit - one.debit == one.debit_left, "what is left follows from what was accrued"
        interest.credit, interest.debit = one.credit_left, one.debit_left


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    InterestAccrued: interest_accrued,
    InterestCapitalised: interest_capitalised,
}

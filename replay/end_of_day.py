"""What must hold of end of day beside its postings: what accounts accrue, receive and pay is what was posted,
and what a month comes to adds up.

Asked of each event before the book applies it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Literal

from book.interest import interest_key, side_of
from book.state import Account, Book
from commands.terms import fee_legs
from schemas.closing import ClosingBalancesAdded, LineBalance, MonthEnded, PeriodBalances
from schemas.fees_due import FeesCharged
from schemas.interest import UNITS, Accrual, InterestAccrued, InterestCapitalised
from schemas.message import Event
from schemas.postings import Posting

Found = Callable[[str], None]
Name = Literal["credit", "debit"]
Legs = defaultdict[str, int]


def _accrued(book: Book, event: InterestAccrued, found: Found) -> None:
    work = book.end_of_day
    if not work.pending or event.business_date.toordinal() != work.pending[0] or event.first != work.done:
        found(f"it accrues {event.business_date} from account {event.first} on, which is not what comes next")
    if event.value_date != event.business_date:
        found(f"the interest of {event.business_date} has the value date {event.value_date}")
    slice_of = set(work.bearing[event.first : event.last])
    legs: Legs = defaultdict(int)
    sides: tuple[tuple[Name, tuple[Accrual, ...], int], ...] = (
        ("credit", event.credits, 1),
        ("debit", event.debits, -1),
    )
    for name, accruals, sign in sides:
        for one in accruals:
            account = book.accounts.get(one.account)
            interest = account.interest if account is not None else None
            if account is None or interest is None or one.account not in slice_of:
                found(f"{one.account} accrues interest, and bears none or is not of this slice")
                continue
            before = interest.credit if name == "credit" else interest.debit
            if before + one.amount != one.accrued or not 0 <= one.rest < UNITS:
                found(f"{one.account} had accrued {before}; {one.amount} more are not {one.accrued}")
            owed = sign * one.amount
            _leg(book, account, name, owed, -owed, legs)
    _compare(legs, event.postings, found)


def _capitalised(book: Book, event: InterestCapitalised, found: Found) -> None:
    legs: Legs = defaultdict(int)
    for one in event.capitalised:
        account = book.accounts.get(one.account)
        interest = account.interest if account is not None else None
        if account is None or interest is None:
            found(f"{one.account} is paid interest, and bears none")
            continue
        for before, paid, left in (
            (interest.credit, one.credit, one.credit_left),
            (interest.debit, one.debit, one.debit_left),
        ):
            if before - paid != left:
                found(f"{one.account} had accrued {before}; without {paid} that is not {left}")
        legs[one.account] += one.credit - one.debit
        _leg(book, account, "credit", -one.credit, 0, legs)
        _leg(book, account, "debit", one.debit, 0, legs)
    _compare(legs, event.postings, found)


def _fees(book: Book, event: FeesCharged, found: Found) -> None:
    if event.value_date != event.business_date:
        found(f"the fees of {event.business_date} have the value date {event.value_date}")
    legs: Legs = defaultdict(int)
    for account, amount in fee_legs(event.fees):
        legs[account] += amount
    _compare(legs, event.postings, found)


def _leg(book: Book, account: Account, name: Name, accrued: int, booked: int, legs: Legs) -> None:
    side = side_of(book, interest_key(account.product, account.currency), name)
    if side is not None:
        legs[side.accrued_on] += accrued
        legs[side.booked_on] += booked


def _compare(legs: Legs, postings: Iterable[Posting], found: Found) -> None:
    """What was posted is what the accounts' figures add up to, account by account."""
    left = defaultdict(int, legs)
    for posting in postings:
        left[posting.account] -= posting.amount
    for account, amount in left.items():
        if amount:
            found(f"the accounts' figures add up to {amount} more on {account} than its postings")


MONEY: dict[type[Event], Callable[[Book, Any, Found], None]] = {
    InterestAccrued: _accrued,
    InterestCapitalised: _capitalised,
    FeesCharged: _fees,
}


def _added(book: Book, event: ClosingBalancesAdded, found: Found) -> None:
    work = book.end_of_day
    if not work.pending or event.business_date.toordinal() != work.pending[0] or event.first != work.done:
        found(f"it adds up {event.business_date} from account {event.first} on, which is not what comes next")
    slice_of = list(islice(book.accounts, event.first, event.last))
    if len(slice_of) != event.last - event.first or not {one.account for one in event.results} <= set(
        slice_of
    ):
        found(f"accounts {event.first} to {event.last} are not those that it adds up")


def _balanced(book: Book, event: MonthEnded | PeriodBalances, found: Found) -> None:
    for currency, left in _by_currency(event.lines).items():
        if left:
            found(f"the closing balances in {currency} sum to {left}, not to zero")


def _by_currency(lines: Iterable[LineBalance]) -> Legs:
    sums: Legs = defaultdict(int)
    for one in lines:
        sums[one.currency] += one.balance
    return sums


OTHERS: dict[type[Event], Callable[[Book, Any, Found], None]] = {
    ClosingBalancesAdded: _added,
    MonthEnded: _balanced,
    PeriodBalances: _balanced,
}

"""The books kept a second time, from postings, reserves and uses alone, so that a bug in `evolve` is found
and not repeated.

What must hold of every money event: its postings sum to zero in each currency, each balance follows from the
one before, nobody falls below their floor, and dates are in order. The same of what is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from book.fees import fees_left
from book.state import Account, Book
from book.transfers import find_posted
from commands.terms import fee_legs
from replay import end_of_day, fx, payments, value_dates
from replay.receipts import OpenItems
from replay.uses import Uses
from schemas.accounts import AccountClosed
from schemas.catalogue import MONEY_EVENTS
from schemas.crossbook import CrossBookCompleted, CrossBookReceived
from schemas.message import Event
from schemas.postings import Posting
from schemas.transfers import TransferPosted, TransferRefunded, TransferReversed

Found = Callable[[str], None]
"""Told what is wrong with an event, in a sentence."""


class Ledger:
    """One book's second bookkeeping. seq: of its newest event.   balances, held: by account.

    uses: what limits and policies count.   items: what waits in suspense.
    """

    def __init__(self, book: str) -> None:
        self.book = book
        self.seq = 0
        self.balances: defaultdict[str, int] = defaultdict(int)
        self.held: defaultdict[str, int] = defaultdict(int)
        self.uses = Uses()
        self.items = OpenItems()

    def post(self, book: Book, event: Any, found: Found) -> None:
        """Check a money event against the balances so far and book it here, before the book applies it."""
        postings: tuple[Posting, ...] = event.postings
        balances, accounts = self.balances, book.accounts
        currency = postings[0].currency if postings else ""
        total, mixed = 0, False
        for posting in postings:
            name, amount, after = posting.account, posting.amount, posting.balance
            try:
                account = accounts[name]
            except KeyError:
                found(f"there is no account {name}")
            else:
                if posting.currency != account.currency or not account.is_open:
                    found(_unfit(name, account, posting))
            if balances[name] + amount != after:
                found(f"{name} had {balances[name]}, {amount} was posted, and the balance says {after}")
            balances[name] = after
            total += amount
            if posting.currency != currency:
                mixed = True
        if total or mixed:
            for each, left in sums(postings):
                found(f"the postings in {each} sum to {left}, not to zero")
        if event.booking_date != book.business_date:
            found(f"it is booked on {event.booking_date}, and the business date is {book.business_date}")
        if not book.open_from <= event.value_date <= event.booking_date:
            value_dates.outside(book, event, found)

    def reserve(self, book: Book, event: Any, found: Found) -> None:
        """Check what an event reserves and releases against what was held so far, before the book does it."""
        for one in event.reserves:
            if one.account not in book.accounts:
                found(f"there is no account {one.account}")
            held = self.held[one.account]
            if held + one.amount != one.held or one.held < 0:
                found(f"{one.account} had {held} held, {one.amount} more, and the event says {one.held}")
            self.held[one.account] = one.held

    def covered(self, book: Book, event: Any, found: Found) -> None:
        """Check, when the event was applied, that what was reserved was there."""
        for one in event.reserves:
            account = book.accounts.get(one.account)
            if account is None:
                continue
            if account.held != self.held[one.account]:
                found(
                    f"the state holds {account.held} of {one.account}, its reserves {self.held[one.account]}"
                )
            available = account.booked - account.held + account.overdraft
            if one.amount > 0 and account.kind == "customer" and available < 0:
                found(f"{-available} more is reserved of {one.account} than there is")

    def bounds(self, book: Book, event: Any, found: Found) -> None:
        """Check, when the event was applied, that who paid could, and that the book has the same balances."""
        accounts, balances = book.accounts, self.balances
        for posting in event.postings:
            name = posting.account
            if name not in accounts:
                continue
            account = accounts[name]
            booked = account.booked
            if booked != balances[name]:
                found(f"the state gives {name} the balance {booked}, its postings {balances[name]}")
            if posting.amount < 0 and account.kind == "customer":
                available = booked - account.held + account.overdraft
                if available < 0:
                    found(f"{name} falls {-available} below its floor")

    def differences(self, book: Book) -> Iterator[str]:
        """At the end: where the state and the postings disagree, and where the book does not sum to zero."""
        totals: dict[str, int] = {}
        for name, account in book.accounts.items():
            totals[account.currency] = totals.get(account.currency, 0) + account.booked
            if account.booked != self.balances.get(name, 0):
                posted = self.balances.get(name, 0)
                yield f"{name} has {account.booked} in the state and {posted} by its postings"
            held = self.held.get(name, 0)
            if account.held != held:
                yield f"{name} has {account.held} held in the state and {held} by its reserves"
        yield from self.items.differences(book)
        for currency, total in totals.items():
            if total:
                yield f"all accounts in {currency} together have {total}, not zero"


def sums(postings: tuple[Posting, ...]) -> Iterator[tuple[str, int]]:
    """The currencies in which the postings do not sum to zero, and what is left."""
    totals: dict[str, int] = {}
    for posting in postings:
        totals[posting.currency] = totals.get(posting.currency, 0) + posting.amount
    return ((currency, total) for currency, total in totals.items() if total)


def _unfit(name: str, account: Account, posting: Posting) -> str:
    if not account.is_open:
        return f"{name} is closed"
    return f"{name} is kept in {account.currency}, and {posting.currency} was posted"


# --- what each kind of event says beside its postings -------------------------------------------------


def _transfer(book: Book, event: TransferPosted, found: Found) -> None:
    amount, postings, fees = event.amount, event.postings, event.fees
    if (
        len(postings) != 2 + 2 * len(fees)
        or postings[0].account != event.debit
        or postings[0].amount != -amount
        or postings[1].account != event.credit
        or postings[1].amount != amount
        or postings[0].currency != event.currency
        or amount <= 0
    ):
        found(f"its postings are not {amount} {event.currency} from {event.debit} to {event.credit}")
    elif fees and [(one.account, one.amount) for one in postings[2:]] != fee_legs(fees):
        found("its other postings are not those of its fees")


def _reversal(book: Book, event: TransferReversed, found: Found) -> None:
    posted = find_posted(book, event.transfer)
    if posted is None:
        found(f"it takes back {event.transfer}, which is no transfer that can be")
    elif posted.reversed or posted.refunded:
        found(f"it takes back {event.transfer}, which was taken back before")
    elif [(one.account, -one.amount) for one in event.postings] != [
        *posted.legs,
        *fee_legs(fees_left(book, event.transfer)),
    ]:
        found(f"its postings are not those of {event.transfer} the other way round")


def _refund(book: Book, event: TransferRefunded, found: Found) -> None:
    posted = find_posted(book, event.transfer)
    if posted is None or not posted.currency:
        found(f"it refunds {event.transfer}, which is no transfer that can be")
        return
    (debit, _), (credit, original) = posted.legs
    legs = [(posting.account, posting.amount) for posting in event.postings]
    left = original - posted.refunded
    if posted.reversed or event.amount > left or event.refunded_after != posted.refunded + event.amount:
        found(f"it refunds {event.amount} of {event.transfer}, and {left} was left to refund")
    if legs != [(credit, -event.amount), (debit, event.amount)] or event.amount <= 0:
        found(f"its postings are not {event.amount} from {credit} to {debit}")


def _crossing(book: Book, event: CrossBookCompleted | CrossBookReceived, found: Found) -> None:
    """Between the customer and an inter-book account, then the fees."""
    sign = -1 if isinstance(event, CrossBookCompleted) else 1
    moved = {(posting.account, posting.amount) for posting in event.postings[:2]}
    between = [one for one, _ in moved if one in book.accounts and book.accounts[one].kind == "inter_book"]
    if len(between) != 1 or moved != {
        (event.account, sign * event.amount),
        (between[0], -sign * event.amount),
    }:
        found(f"its postings are not {event.amount} between {event.account} and an inter-book account")
    fees = [leg for fee in event.fees for leg in ((fee.account, -fee.amount), (fee.income, fee.amount))]
    if [(posting.account, posting.amount) for posting in event.postings[2:]] != fees:
        found("its other postings are not its fees")


def _closing(book: Book, event: AccountClosed, found: Found) -> None:
    account = book.accounts.get(event.account)
    if account is not None and (account.booked or account.held):
        found(f"{event.account} is closed with {account.booked} booked and {account.held} held")


MONEY: dict[type[Event], Callable[[Book, Any, Found], None]] = {
    **dict.fromkeys(MONEY_EVENTS, lambda book, event, found: None),
    TransferPosted: _transfer,
    CrossBookReceived: _crossing,
    CrossBookCompleted: _crossing,
    TransferReversed: _reversal,
    TransferRefunded: _refund,
    **end_of_day.MONEY,
    **payments.MONEY,
    **fx.MONEY,
}
"""What moves money, and what of it is to be compared with what came before."""
OTHERS: dict[type[Event], Callable[[Book, Any, Found], None]] = {
    AccountClosed: _closing,
    **value_dates.OTHERS,
    **end_of_day.OTHERS,
}

"""`as_of`: a book as it was known after an event or at a time, and its balances by value date as known then.

Two times are kept apart: when something was known (seq, book time) and for which day it counts (value date).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from book.evolve import evolve
from book.state import Book, Partition
from engine.errors import DaybookError
from engine.log.records import BEFORE_FIRST
from replay.answers import History
from replay.ledger import MONEY
from schemas.catalogue import decode_event
from schemas.fields import AccountKind
from schemas.message import Date


class NotKnown(DaybookError):
    """The book, or the event, was not there at the place in history that was asked for."""

    advice = "Ask for another book, a later time, or a seq that the book has reached."
    status = 2


class AccountThen(msgspec.Struct, frozen=True):
    """An account as it was known. Minor units; by_value_date: None where no value date was asked for."""

    account: str
    kind: AccountKind
    currency: str
    party: str
    ledger: str
    is_open: bool
    booked: int
    held: int
    overdraft: int
    available: int
    by_value_date: int | None


class TrialLine(msgspec.Struct, frozen=True):
    """A line of the trial balance. debit, credit: sums of the accounts below and above zero, both positive.

    Over all lines of a currency the debits equal the credits.
    """

    ledger: str
    name: str
    kind: AccountKind
    currency: str
    accounts: int
    debit: int
    credit: int


class View(msgspec.Struct, frozen=True):
    """What was known. book: its state then, with parties, persons, actors and roles.

    value_date: the day asked for.   by_value_date: sum of the postings that count up to that day, by account.
    """

    book: Book
    value_date: Date | None
    by_value_date: dict[str, int] | None

    def accounts(self) -> Iterator[AccountThen]:
        """Every account that was open or had been, in the order of opening."""
        for name, account in self.book.accounts.items():
            yield AccountThen(
                account=name,
                kind=account.kind,
                currency=account.currency,
                party=account.party,
                ledger=account.ledger,
                is_open=account.is_open,
                booked=account.booked,
                held=account.held,
                overdraft=account.overdraft,
                available=account.booked - account.held + account.overdraft,
                by_value_date=None if self.by_value_date is None else self.by_value_date.get(name, 0),
            )

    def trial_balance(self) -> list[TrialLine]:
        """By line of the chart of accounts and currency; by value date where one was asked for."""
        sums: dict[tuple[str, str], list[int]] = {}
        for account in self.accounts():
            line = sums.setdefault((account.ledger, account.currency), [0, 0, 0])
            balance = account.booked if account.by_value_date is None else account.by_value_date
            line[0] += 1
            line[1 if balance < 0 else 2] += abs(balance)
        kinds = {account.ledger: account.kind for account in self.book.accounts.values()}
        return [
            TrialLine(ledger, self.book.chart[ledger].name, kinds[ledger], currency, *sums[ledger, currency])
            for ledger, currency in sorted(sums)
        ]


def as_of(
    log: History,
    book: str,
    *,
    seq: int | None = None,
    at_ms: int | None = None,
    value_date: Date | None = None,
) -> View:
    """The book after its event `seq`, or after all its events up to book time `at_ms`, or now; if both are
    given, whichever is first. Raises NotKnown.
    """
    if seq is not None and seq < 1:
        raise NotKnown(f"Events are counted from 1, so there is none with seq {seq}.")
    partition = Partition()
    key = book.encode()
    counted: dict[str, int] = {}
    newest = 0
    for record in log.events(BEFORE_FIRST):
        if record.key != key:
            continue
        event = decode_event(record.value)
        if at_ms is not None and event.at > at_ms:
            break
        evolve(partition, event)
        newest = event.seq
        if value_date is not None and type(event) in MONEY and event.value_date <= value_date:
            for posting in event.postings:
                counted[posting.account] = counted.get(posting.account, 0) + posting.amount
        if newest == seq:
            break
    found = partition.books.get(book)
    if found is None:
        when = "" if at_ms is None else " at that time"
        raise NotKnown(f"The log holds no book {book}{when}.")
    if seq is not None and newest < seq and at_ms is None:
        raise NotKnown(f"The newest event of the book {book} has seq {newest}, not {seq}.")
    return View(found, value_date, None if value_date is None else counted)

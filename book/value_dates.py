"""What defers money to its value date and releases it, and what is posted before the open period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from book.deferred import Deferred
from book.reserves import reserve
from book.state import Book
from schemas.message import Date
from schemas.postings import Posting
from schemas.reserves import Reserve
from schemas.transfers import EntriesPosted, TransferPosted
from schemas.value_dates import CreditReleased

VALUE_DATE = "value_date"
"""The kind of timer that releases what a transfer credited."""


def value_date_timer(transfer: int) -> str:
    """The id of the timer of the transfer with this seq."""
    return f"{VALUE_DATE}\n{transfer}"


def earliest(book: Book) -> Date:
    """The first value date there can be, by whose approval ever: years before are closed for good."""
    return book.open_from.replace(month=1, day=1)


def credited(book: Book, postings: Sequence[Posting]) -> dict[str, int]:
    """What customers' accounts are given by all postings together. The bank's own have no floor."""
    net: dict[str, int] = {}
    for one in postings:
        net[one.account] = net.get(one.account, 0) + one.amount
    return {
        name: amount for name, amount in net.items() if amount > 0 and book.accounts[name].kind == "customer"
    }


def defer(book: Book, event: TransferPosted | EntriesPosted) -> None:
    """What was credited is reserved until its value date."""
    reserve(book, event.reserves)
    book.deferred[event.seq] = Deferred(
        event.value_date, event.available_at_ms, {one.account: one.amount for one in event.reserves}
    )
    book.timers.set(value_date_timer(event.seq), event.available_at_ms)


def take_back(book: Book, transfer: int, reserves: tuple[Reserve, ...], *, whole: bool) -> None:
    """What is deferred is taken back before its day. Of a part, the rest waits."""
    reserve(book, reserves)
    reserved = book.deferred[transfer].reserved
    for one in reserves:
        reserved[one.account] += one.amount
        assert reserved[one.account] >= 0, "no more is released than was reserved"
    if whole:
        assert not any(reserved.values()), "nothing waits of what was taken back whole"
        del book.deferred[transfer]
        book.timers.remove(value_date_timer(transfer))


def credit_released(book: Book, event: CreditReleased) -> None:
    """Its day has come."""
    reserve(book, event.reserves)
    left = book.deferred.pop(event.transfer).reserved
    released = {one.account: -one.amount for one in event.reserves}
    assert released == {name: amount for name, amount in left.items() if amount}, "all of it can be spent"
    book.timers.remove(value_date_timer(event.transfer))


EVOLVE: dict[type, Callable[[Book, Any], None]] = {CreditReleased: credit_released}

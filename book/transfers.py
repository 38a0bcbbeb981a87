"""What moves money. Balances travel with the event; here they are checked and assigned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.books import day_of, posted_day
from book.features import counting
from book.reserves import use
from book.state import Book, Posted
from book.value_dates import defer, take_back
from schemas.postings import Posting
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed
from schemas.value_dates import BackValuedPosted


def post(book: Book, postings: tuple[Posting, ...]) -> None:
    """Assign the balances after, each of which must be the balance before plus the amount."""
    accounts = book.accounts
    for posting in postings:
        account = accounts[posting.account]
        booked = account.booked + posting.amount
        assert booked == posting.balance, "the balance in a posting follows from the one before"
        account.booked = booked


def transfer_posted(book: Book, event: TransferPosted) -> None:
    """Two accounts changed, and the transfer can be taken back for a while."""
    post(book, event.postings)
    seq, amount = event.seq, event.amount
    uses, fees = event.uses, event.fees
    legs = ((event.debit, -amount), (event.credit, amount))
    day = posted_day(book, seq)
    if fees:
        day.fees[seq] = fees
    if uses:
        use(book, uses)
    day.transfers[seq] = Posted(legs, event.currency, 0, False, uses)
    if event.available_at_ms:
        defer(book, event)
    keeping = book.in_force.keeping
    if keeping is not None:
        counting.moved_out(
            book,
            keeping,
            event.debit,
            amount,
            event.at,
            event.credit,
            event.channel,
            event.corridor,
            event.origin,
        )
        counting.moved_in(book, keeping, event.credit, amount, event.at)


def entries_posted(book: Book, event: EntriesPosted) -> None:
    """Several accounts changed, and the posting can be reversed for a while."""
    post(book, event.postings)
    legs = tuple((posting.account, posting.amount) for posting in event.postings)
    posted_day(book, event.seq).transfers[event.seq] = Posted(legs, "")
    if event.available_at_ms:
        defer(book, event)


def find_posted(book: Book, seq: int) -> Posted | None:
    """The transfer or posting whose event has this seq, if it can still be taken back."""
    day = day_of(book, seq)
    return None if day is None else day.transfers.get(seq)


def transfer_reversed(book: Book, event: TransferReversed) -> None:
    """The transfer is taken back, once and for all, and its fees with it."""
    post(book, event.postings)
    use(book, event.uses)
    day = day_of(book, event.transfer)
    assert day is not None, "only a transfer that the book remembers is reversed"
    day.transfers[event.transfer].reversed = True
    day.fees.pop(event.transfer, None)
    if event.transfer in book.deferred:
        take_back(book, event.transfer, event.reserves, whole=True)


def transfer_refunded(book: Book, event: TransferRefunded) -> None:
    """A part of the transfer is given back."""
    post(book, event.postings)
    use(book, event.uses)
    posted = find_posted(book, event.transfer)
    assert posted is not None, "only a transfer that the book remembers is refunded"
    posted.refunded = event.refunded_after
    if event.reserves:
        take_back(book, event.transfer, event.reserves, whole=False)


def back_valued_posted(book: Book, event: BackValuedPosted) -> None:
    """Several accounts changed, from a day on that is closed to others."""
    post(book, event.postings)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    TransferPosted: transfer_posted,
    EntriesPosted: entries_posted,
    TransferReversed: transfer_reversed,
    TransferRefunded: transfer_refunded,
    BackValuedPosted: back_valued_posted,
}

"""What moves money. Balances travel with the event; here they are checked and assigned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.books import posted_day
from book.state import Book, Posted
from schemas.postings import Posting
from schemas.transfers import EntriesPosted, TransferPosted, TransferRefunded, TransferReversed


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
    legs = ((event.debit, -amount), (event.credit, amount))
    posted_day(book, seq).transfers[seq] = Posted(legs, event.currency)


def entries_posted(book: Book, event: EntriesPosted) -> None:
    """Several accounts changed, and the posting can be reversed for a while."""
    post(book, event.postings)
    legs = tuple((posting.account, posting.amount) for posting in event.postings)
    posted_day(book, event.seq).transfers[event.seq] = Posted(legs, "")


def find_posted(book: Book, seq: int) -> Posted | None:
    """The transfer or posting whose event has this seq, if it can still be taken back."""
    for day in reversed(book.posted):
        if seq >= day.first_seq:
            return day.transfers.get(seq)
    return None


def transfer_reversed(book: Book, event: TransferReversed) -> None:
    """The transfer is taken back, once and for all."""
    post(book, event.postings)
    posted = find_posted(book, event.transfer)
    assert posted is not None, "only a transfer that the book remembers is reversed"
    posted.reversed = True


def transfer_refunded(book: Book, event: TransferRefunded) -> None:
    """A part of the transfer is given back."""
    post(book, event.postings)
    posted = find_posted(book, event.transfer)
    assert posted is not None, "only a transfer that the book remembers is refunded"
    posted.refunded = event.refunded_after


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    TransferPosted: transfer_posted,
    EntriesPosted: entries_posted,
    TransferReversed: transfer_reversed,
    TransferRefunded: transfer_refunded,
}

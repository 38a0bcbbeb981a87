"""Sightings: what one event says of a payee, a device or a party, for those who look over all books.

A sighting goes to whoever keeps its subject, wherever the event came from. Nothing here keeps more than who
owns which account; what sightings add up to is `detection/across.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, Final, Literal

import msgspec

from schemas.accounts import AccountOpened
from schemas.books import BookOpened
from schemas.crossbook import CrossBookReceived, CrossBookSent
from schemas.fields import Clock
from schemas.payees import payee_key
from schemas.payments import PaymentSubmitted
from schemas.payments_in import ReceiptCredited, SuspenseResolved
from schemas.transfers import TransferPosted

_APART: Final = "\n"
"""Stands between the parts of a key; no id holds it."""
Subject = Literal["payee", "device", "party"]


class Sighting(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A subject was seen in an event.

    of: the payee's key, the device, or the party.   clock, time_zone: of the book.   seq, at: of the event.
    party: of that book, who paid the payee or used the device.   paid_in, paid_out: minor units of
    `currency` that came to `party` and left it.
    """

    subject: Subject
    of: str
    clock: Clock
    time_zone: str
    book: str
    seq: int
    at: int
    party: str
    currency: str
    paid_in: int = 0
    paid_out: int = 0

    @property
    def key(self) -> str:
        """By which it is kept. Books of wall time and of commanded time are looked at apart: their times
        have nothing to do with each other.
        """
        money = f"{_APART}{self.currency}" if self.subject == "party" else ""
        return f"{self.clock}{_APART}{self.subject}{_APART}{self.of}{money}"


Looked = (
    BookOpened
    | AccountOpened
    | TransferPosted
    | PaymentSubmitted
    | ReceiptCredited
    | SuspenseResolved
    | CrossBookSent
    | CrossBookReceived
)
"""The events that say something here; all others are passed over without being decoded."""
LOOKED: Final = frozenset(
    str(one.__struct_config__.tag)
    for one in (
        BookOpened,
        AccountOpened,
        TransferPosted,
        PaymentSubmitted,
        ReceiptCredited,
        SuspenseResolved,
        CrossBookSent,
        CrossBookReceived,
    )
)


class _Said(msgspec.Struct, frozen=True, gc=False):
    """What every sighting of an event has in common."""

    clock: Clock
    time_zone: str


class Sighter:
    """Makes sightings of the events of any number of books, a book's in order.

    known: what it has to keep, in whatever its host keeps it: by book its clock and time zone, and by book
    and account the party that owns it. Only customers' accounts are there.
    """

    def __init__(self, known: MutableMapping[str, str]) -> None:
        self._known = known

    def see(self, event: Any) -> Iterable[Sighting]:
        """What the event says. An event of a book whose opening was not seen says nothing."""
        if isinstance(event, BookOpened):
            self._known[event.book] = f"{event.clock}{_APART}{event.time_zone}"
            return ()
        if isinstance(event, AccountOpened):
            if event.kind == "customer":
                self._known[f"{event.book}{_APART}{event.account}"] = event.party
            return ()
        book = self._known.get(event.book)
        if book is None:
            return ()
        clock, _, time_zone = book.partition(_APART)
        return self._moved(event, _Said(clock, time_zone))  # type: ignore[arg-type]

    def _owner(self, book: str, account: str) -> str:
        return self._known.get(f"{book}{_APART}{account}", "")

    def _moved(self, event: Any, said: _Said) -> Iterator[Sighting]:
        match event:
            case TransferPosted():
                payer, paid = self._owner(event.book, event.debit), self._owner(event.book, event.credit)
                if payer == paid:  # from one of one's own accounts to another, or of the bank's
                    return
                if payer:
                    yield _sighting(event, said, "party", payer, payer, paid_out=event.amount)
                    yield from _device(event, said, payer)
                if paid:
                    yield _sighting(event, said, "party", paid, paid, paid_in=event.amount)
            case PaymentSubmitted():
                payer = self._owner(event.book, event.account)
                if not payer:
                    return
                yield _sighting(event, said, "party", payer, payer, paid_out=event.amount)
                payee = payee_key(event.payee.account)
                yield _sighting(event, said, "payee", payee, payer, paid_out=event.amount)
                yield from _device(event, said, payer)
            case CrossBookSent():
                if payer := self._owner(event.book, event.account):
                    yield _sighting(event, said, "party", payer, payer, paid_out=event.amount)
            case ReceiptCredited() | SuspenseResolved() | CrossBookReceived():
                if paid := self._owner(event.book, event.account):
                    yield _sighting(event, said, "party", paid, paid, paid_in=event.amount)
            case _:
                return


def _device(event: TransferPosted | PaymentSubmitted, said: _Said, payer: str) -> Iterator[Sighting]:
    if event.origin is not None and event.origin.device:
        yield _sighting(event, said, "device", event.origin.device, payer, paid_out=event.amount)


def _sighting(
    event: Any,
    said: _Said,
    subject: Subject,
    of: str,
    party: str,
    *,
    paid_in: int = 0,
    paid_out: int = 0,
) -> Sighting:
    return Sighting(
        subject,
        of,
        said.clock,
        said.time_zone,
        event.book,
        event.seq,
        event.at,
        party,
        event.currency,
        paid_in,
        paid_out,
    )

"""`evolve`: the only thing that changes a book. Live processing and replay both run it, on every event.

It checks and assigns; it never decides, never recomputes policy and never fails on an event that we wrote.
An exception here means that the state can no longer be trusted, and stops the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book import (
    access,
    accounts,
    approvals,
    books,
    bulk,
    case_work,
    cases,
    closing,
    crossbook,
    documents,
    end_of_day,
    exchange,
    fees,
    fees_due,
    flags,
    holds,
    interest,
    limits,
    months,
    orders,
    parties,
    payments,
    payments_in,
    positions,
    rail_reports,
    repairs,
    reviews,
    risk,
    stops,
    transfers,
    value_dates,
)
from book.features.counting import declined
from book.repeats import Seen, key_of
from book.state import Book, Partition
from schemas.catalogue import MONEY_EVENTS
from schemas.message import Event
from schemas.rail_reports import PaymentFailed
from schemas.rejections import CommandRejected, CommandRepeated
from schemas.transfers import TransferPosted


def _rejected(book: Book, event: CommandRejected) -> None:
    """Nothing changes but what the envelope says, and what rules count of what they have declined."""
    if event.restricted:
        declined(book, event)


def _repeated(book: Book, event: CommandRepeated) -> None:
    """Nothing changes but what the envelope says."""


def _moved(book: Book, event: Any) -> None:
    """Money moved, whoever moved it: by its value date it counts for interest, and for months that ended."""
    if book.end_of_day.bearing:
        interest.interest_moved(book, event)
    if event.value_date != event.booking_date:
        months.valued_elsewhere(book, event)
    ended = book.closing.months
    if ended and ended[-1].since is not None:
        months.moved(book, event)


OPEN = books.OPEN
EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    CommandRejected: _rejected,
    CommandRepeated: _repeated,
    **books.EVOLVE,
    **access.EVOLVE,
    **parties.EVOLVE,
    **accounts.EVOLVE,
    **transfers.EVOLVE,
    **crossbook.EVOLVE,
    **documents.EVOLVE,
    **interest.EVOLVE,
    **closing.EVOLVE,
    **months.EVOLVE,
    **end_of_day.EVOLVE,
    **approvals.EVOLVE,
    **bulk.EVOLVE,
    **orders.EVOLVE,
    **payments_in.EVOLVE,
    **limits.EVOLVE,
    **fees.EVOLVE,
    **fees_due.EVOLVE,
    **flags.EVOLVE,
    **holds.EVOLVE,
    **payments.EVOLVE,
    **rail_reports.EVOLVE,
    **repairs.EVOLVE,
    **reviews.EVOLVE,
    **risk.EVOLVE,
    **stops.EVOLVE,
    **exchange.EVOLVE,
    **positions.EVOLVE,
    **value_dates.EVOLVE,
    **cases.EVOLVE,
    **case_work.EVOLVE,
}


def _charging(handle: Callable[[Book, Any], None]) -> Callable[[Book, Any], None]:
    def charging(book: Book, event: Any) -> None:
        handle(book, event)
        if event.fees:
            fees.charged(book, event.seq, event.fees)

    return charging


EVOLVE.update(
    {
        kind: _charging(handle)
        for kind, handle in EVOLVE.items()
        if kind in MONEY_EVENTS  # others say which fees are reserved, and nobody has paid those yet
        and kind is not PaymentFailed  # which gives them back
        and "fees" in getattr(kind, "__struct_fields__", ())
        and kind is not TransferPosted  # which notes its fees itself
    }
)
"""Whatever event charges fees, they can be waived while its business day is kept."""


def evolve(partition: Partition, event: Event) -> None:
    """Apply one event to the book it belongs to, and note how far commands are answered."""
    kind = type(event)
    handle = EVOLVE.get(kind)
    if handle is None:
        book = OPEN[kind](partition, event)
    else:
        book = partition.books[event.book]
        handle(book, event)
        if kind in MONEY_EVENTS:
            _moved(book, event)
    assert event.seq == book.seq + 1, "seq counts without a gap"
    assert event.at >= book.at, "book time never goes back"
    book.seq = event.seq
    book.at = at = event.at
    if event.fingerprint:
        reason = event.reason if kind is CommandRejected else ""  # type: ignore[attr-defined]
        book.repeats.remember(
            key_of(event.actor, event.command),
            Seen(event.fingerprint, event.seq, reason),
            at,
            event.issued_at_ms,
        )
    else:
        book.repeats.age(at)
    if event.cause >= 0:
        partition.position = event.cause

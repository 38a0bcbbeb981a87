"""Deciding a command as a trial: what would happen, on which terms, and what to reserve while it waits.

Whatever decides the command, its events say all of that in one shape: postings, reserves, uses, fees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from book.reserves import slice_of
from book.state import Book
from commands.attempt import attempt
from commands.reserves import reserving
from schemas.approvals import Moved, Shown
from schemas.catalogue import encode
from schemas.fees import Fee
from schemas.message import Command, Event
from schemas.outcomes import FOR_STAFF
from schemas.publishing import DocumentPublished
from schemas.rejections import Rejection
from schemas.reserves import Reserve, Use

MOST_SHOWN = 100
DATES = ("value_date", "execution_date")
"""The fields of events that hold a day on which it counts."""
RATES = ("rate", "base_rate", "mid_rate", "margin")
"""The fields of events that hold a rate."""


def tried(book: Book, command: Command, at_ms: int) -> Sequence[Event] | Rejection:
    """What would happen if the command were decided now; nothing is changed by asking."""
    events, refused = attempt(book, command, at_ms)
    return events if refused is None else refused


def reserves_of(book: Book, events: Sequence[Event]) -> tuple[Reserve, ...]:
    """The funds that the events would take from customers' accounts: net debits, and what they reserve."""
    needed: dict[str, int] = {}
    for event in events:
        for posting in getattr(event, "postings", ()):
            needed[posting.account] = needed.get(posting.account, 0) - posting.amount
        for one in getattr(event, "reserves", ()):
            needed[one.account] = needed.get(one.account, 0) + one.amount
    return tuple(
        reserving(book, account, amount)
        for account, amount in needed.items()
        if amount > 0 and account in book.accounts and book.accounts[account].kind == "customer"
    )


def uses_of(book: Book, events: Sequence[Event]) -> tuple[Use, ...]:
    """The room under limits that the events would use up, as reserved."""
    needed: dict[tuple[str, str, str, int, int], int] = {}
    for event in events:
        for one in getattr(event, "uses", ()):
            key = (one.limit, one.by, one.key, one.bucket, one.first)
            needed[key] = needed.get(key, 0) + one.amount
    return tuple(_reserved(book, key, amount) for key, amount in needed.items() if amount > 0)


def _reserved(book: Book, of: tuple[str, str, str, int, int], amount: int) -> Use:
    limit, by, key, bucket, first = of
    total, reserved = slice_of(book, limit, by, key, bucket) or (0, 0)
    return Use(limit, by, key, bucket, first, amount, total + amount, reserved + amount)


def terms_shown(book: Book, events: Sequence[Event]) -> Shown:
    """What an approver is to see: money by account, fees, dates, rates, and the documents behind them."""
    return _shown(book, events, MOST_SHOWN)


def digest_of(book: Book, command: Command, events: Sequence[Event]) -> str:
    """SHA-256, in hex, over the command and all its terms: equal digests mean that the same was shown."""
    shown = encode(command), msgspec.json.encode(_shown(book, events, None))
    return hashlib.sha256(b"\n".join(shown)).hexdigest()


def _shown(book: Book, events: Sequence[Event], most: int | None) -> Shown:
    moved: dict[tuple[str, str], int] = {}
    fees: list[Fee] = []
    dates: dict[str, None] = {}
    rates: dict[str, None] = {}
    documents: dict[str, str] = {}
    for event in events:
        for posting in getattr(event, "postings", ()):
            key = (posting.account, posting.currency)
            moved[key] = moved.get(key, 0) + posting.amount
        fees.extend(getattr(event, "fees", ()))
        for name in DATES:
            if (date := getattr(event, name, None)) is not None:
                dates[str(date)] = None
        for name in RATES:
            if rate := getattr(event, name, ""):
                rates[str(rate)] = None
        documents.update(_documents(book, event))
    return Shown(
        moved=tuple(Moved(account, amount, currency) for (account, currency), amount in moved.items())[:most],
        fees=tuple(fees)[:most],
        value_dates=tuple(dates),
        rates=tuple(rates)[:most],
        documents=documents,
        events=tuple(dict.fromkeys(type(one).__name__ for one in events if type(one) not in FOR_STAFF)),
    )


def _documents(book: Book, event: Any) -> Iterable[tuple[str, str]]:
    """The documents that an event rests on, with their version; of a new one, what it would replace."""
    for fee in getattr(event, "fees", ()):
        yield f"tariff/{fee.tariff}", str(fee.version)
    for use in getattr(event, "uses", ()):
        name = f"limits/{use.limit.rpartition('/')[0]}"
        if (shelf := book.documents.get(name)) is not None:
            yield name, str(shelf.in_force)
    for name in getattr(event, "documents", ()):
        document, _, version = name.rpartition("@")
        yield document, version
    name = f"rail/{getattr(event, 'rail', '')}"
    if (shelf := book.documents.get(name)) is not None:
        yield name, str(shelf.in_force)
    if isinstance(event, DocumentPublished):
        name = f"{event.kind}/{event.document}"
        shelf = book.documents.get(name)
        yield name, "none" if shelf is None else f"{shelf.in_force} {shelf.digest[:16]}"
        if event.proof:
            yield "what-if", event.proof

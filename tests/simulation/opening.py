"""How the books of a history begin: three books on two partitions that have agreed to pay each other.

Made once for each way of beginning, through the real engine; every history begins with a copy of its pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Any, Final

import msgspec

from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.partitioning import Place, partition_of
from engine.log.records import Clock, Out, Record
from engine.snapshots import encode_snapshot
from engine.worker import Worker
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem
from schemas.accounts import OpenAccount
from schemas.books import Administrator, OpenBook, SetRepeatWindow
from schemas.catalogue import decode_event, encode
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from schemas.transfers import Transfer
from tests.crossbook_words import RELAYED

BEGAN_MS: Final = 1_715_767_200_000
"""Wednesday 15 May 2024, 10:00 UTC."""
PLACES: Final = (("north",), ("south", "west"))
"""The books of each partition."""
BOOKS: Final = tuple(book for books in PLACES for book in books)
PARTITION: Final = {book: number for number, books in enumerate(PLACES) for book in books}
assert all(partition_of(book.encode(), len(PLACES)) == number for book, number in PARTITION.items())
CURRENCIES: Final = ("EUR", "JPY")
CUSTOMERS: Final = 4
ROOT: Final = Administrator(person="ruth", user="root", name="Ruth Root")
WAYS: Final = 4
HOUR_MS: Final = 3_600_000


class Opened(msgspec.Struct, frozen=True):
    """A partition as its books were opened. snapshot: of its state.   pages: how many commits there were."""

    commands: list[Record]
    events: list[Record]
    ends: list[int]
    snapshot: bytes
    place: Place

    def log(self, clock: Clock) -> MemoryLog:
        """A log of its own with these pages, which no engine has open."""
        log = MemoryLog(clock=clock, kept=True, control_records=True, place=self.place, writer=False)
        stored = log._stored
        stored.commands, stored.events, stored.ends = list(self.commands), list(self.events), list(self.ends)
        stored.pages, stored.next_event = len(self.ends), self.events[-1].offset + 2
        return log


def currency_of(customer: int) -> str:
    return CURRENCIES[customer % 2]


def is_commanded(way: int, book: str) -> bool:
    """Whether the book's clock is commanded, in this way of beginning; else it is the wall clock."""
    return (way + BOOKS.index(book)) % 3 != 0


def agreement(book: str, other: str, version: int, currencies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """What `book` says to agree with the other: accounts of this version, and the document."""
    accounts = {currency: f"{other}-{currency}-{version}" for currency in currencies}
    for currency, account in accounts.items():
        yield {"type": "OpenAccount", "account": account, "currency": currency, "kind": "inter_book"}
    body = {"book": other, "relay": "relay", "accounts": accounts}
    named = {"kind": "counterpart", "document": other, "version": version}
    yield {"type": "PublishDocument", **named, "body": body}


@lru_cache(WAYS)
def opened(way: int) -> tuple[Opened, ...]:
    """Each partition, opened in one of `WAYS` ways: with other clocks and other memories for ids."""
    return tuple(_open(way, partition) for partition in range(len(PLACES)))


def _open(way: int, partition: int) -> Opened:
    place = Place(partition, len(PLACES))
    log = MemoryLog(clock=lambda: BEGAN_MS, kept=True, control_records=True, place=place)
    begin(log, [ROOT], BEGAN_MS, epoch_id=f"simulated{partition}")
    worker = Worker(log, clock=lambda: BEGAN_MS, elapsed=lambda: 0.0, batch=1_000)
    log.submit([Out(one.book.encode(), encode(one)) for one in _commands(way, partition)])
    while worker.step():
        pass
    stored = log._stored
    refused = [
        event for one in stored.events if isinstance(event := decode_event(one.value), CommandRejected)
    ]
    assert not refused, refused
    worker.folded.offset, worker.folded.link = log.last_event_offset(), worker.link
    return Opened(stored.commands, stored.events, stored.ends, encode_snapshot(worker.folded), place)


def _commands(way: int, partition: int) -> Iterator[Command]:
    numbers = count(1)

    def say(kind: type[Command], book: str, /, **fields: Any) -> Command:
        envelope: dict[str, Any] = {
            "id": f"o{next(numbers)}",
            "book": book,
            "actor": "root",
            "issued_at_ms": BEGAN_MS,
        }
        return kind(**envelope, **fields)

    for book in PLACES[partition]:
        clock = "commanded" if is_commanded(way, book) else "wall"
        yield say(OpenBook, book, name=book, currency="EUR", administrators=(ROOT,), clock=clock)
        window_ms = 1_000 if way % 2 else HOUR_MS
        yield say(SetRepeatWindow, book, repeat_window_ms=window_ms, repeat_cap=10_000)
        yield say(RegisterSystem, book, system="relay", purpose="payments between books")
        permits = tuple(Permit(command=one.__name__) for one in RELAYED)
        yield say(DefineRole, book, role="relays", permits=permits)
        yield say(GrantRole, book, subject="relay", role="relays")
        for currency in CURRENCIES:
            yield say(OpenAccount, book, account=f"nostro-{currency}", currency=currency, kind="nostro")
        for number in range(CUSTOMERS):
            currency = currency_of(number)
            yield say(RegisterParty, book, party=f"p{number}", kind="person", name="N", status="active")
            yield say(OpenAccount, book, account=f"a{number}", currency=currency, party=f"p{number}")
            paid = {"debit": f"nostro-{currency}", "credit": f"a{number}", "amount": 1_000}
            yield say(Transfer, book, **paid, currency=currency)
        for other in BOOKS:
            if other == book:
                continue
            for fields in agreement(book, other, 1, CURRENCIES if way != 3 else CURRENCIES[:1]):
                yield say(
                    OpenAccount if fields.pop("type") == "OpenAccount" else PublishDocument, book, **fields
                )

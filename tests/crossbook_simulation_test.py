"""Payments between books while everything crashes: money is never created or lost, whichever side crashes.

The relay is killed before and after it sends, and begins again with nothing; records come twice, shuffled or
not at all; the engines crash around their commits. Meanwhile accounts close and are blocked, agreements
change and clocks run apart. At every moment customers' money and what is on its way are what they were; in
the end every payment was completed or refused.
"""

from __future__ import annotations

import datetime
import random
from collections import Counter
from typing import Any

import pytest

from book.state import Book
from engine.log.faults import Faults
from gateway.relay import Relay
from replay.redecide import redecide
from replay.verify import verify
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem, ReinstateActor, SuspendActor
from schemas.accounts import BlockAccount, CloseAccount, LiftBlock, OpenAccount
from schemas.books import AdvanceTime, ConfirmClock, OpenBook, SetRepeatWindow
from schemas.crossbook import (
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
    SendToBook,
)
from schemas.message import Command, Event
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from schemas.transfers import Transfer
from tests.crossbook_words import RELAYED
from tests.hosting import Site
from tests.simulation.money import is_conserved, is_settled
from tests.story import ROOT

BOOKS = ("north", "south", "west")
CURRENCIES = ("EUR", "JPY")
HOUR_MS = 3_600_000


class World:
    """Three books that have agreed with each other, with four customers' accounts in each."""

    def __init__(self, seed: int, *carried: tuple[str, ...], crashing: bool = True) -> None:
        self.chance = chance = random.Random(seed)
        faults = [Faults() for _ in carried]
        self.site = Site(*carried, faults=faults, chance=chance)
        self.told = 0
        for book in BOOKS:
            clock = "wall" if chance.random() < 0.3 else "commanded"
            self.tell(OpenBook, book, name=book, currency="EUR", administrators=(ROOT,), clock=clock)
            self.tell(
                SetRepeatWindow, book, repeat_window_ms=chance.choice((1_000, HOUR_MS)), repeat_cap=10_000
            )
            self.tell(RegisterSystem, book, system="relay", purpose="payments between books")
            permits = tuple(Permit(command=one.__name__) for one in RELAYED)
            self.tell(DefineRole, book, role="relays", permits=permits)
            self.tell(GrantRole, book, subject="relay", role="relays")
            for currency in CURRENCIES:
                self.tell(OpenAccount, book, account=f"nostro-{currency}", currency=currency, kind="nostro")
            for number in range(4):
                currency = CURRENCIES[number % 2]
                self.tell(RegisterParty, book, party=f"p{number}", kind="person", name="N", status="active")
                self.tell(OpenAccount, book, account=f"a{number}", currency=currency, party=f"p{number}")
                self.tell(
                    Transfer,
                    book,
                    debit=f"nostro-{currency}",
                    credit=f"a{number}",
                    amount=1_000,
                    currency=currency,
                )
        for book in BOOKS:
            for other in BOOKS:
                if other != book:
                    self.agree(book, other)
        if crashing:
            for index, one in enumerate(self.site.partitions):
                one.log = one.log.reopen(
                    faults=Faults(seed=seed * 10 + index, commit_rate=0.1, submit_rate=0.2)
                )
                one.restart()

    def tell(self, kind: type[Command], book: str, /, **fields: Any) -> Event:
        self.told += 1
        # A book whose clock ran away takes nothing that was issued long before.
        books = self.site.partition_of(book).books
        issued_at_ms = max(self.site.now, books[book].at if book in books else 0)
        envelope: dict[str, Any] = {"actor": "root", "issued_at_ms": issued_at_ms, **fields}
        (answer,) = self.site.tell(kind(id=f"c{self.told}", book=book, **envelope))
        return answer

    def agree(self, book: str, other: str) -> None:
        """A new version, over accounts of its own; in one case of three without JPY."""
        self.told += 1
        accounts = {}
        for currency in CURRENCIES if self.chance.randrange(3) else CURRENCIES[:1]:
            accounts[currency] = f"{other}-{currency}-{self.told}"
            self.tell(OpenAccount, book, account=accounts[currency], currency=currency, kind="inter_book")
        self.tell(
            PublishDocument,
            book,
            kind="counterpart",
            document=other,
            version=self.told,
            body={"book": other, "relay": "relay", "accounts": accounts},
        )

    def something(self) -> None:
        """Somebody does something in one of the books."""
        chance = self.chance
        book = chance.choice(BOOKS)
        account = f"a{chance.randrange(4)}"
        happens = chance.randrange(100)
        if happens < 60:
            day = datetime.datetime.fromtimestamp(self.site.now / 1000, datetime.UTC).date()
            self.tell(
                SendToBook,
                book,
                transfer=f"x{chance.randrange(60)}",
                account=account,
                amount=chance.choice((1, 30, 400)),
                currency=chance.choice(CURRENCIES),
                to_book=chance.choice([one for one in BOOKS if one != book]),
                to_account=chance.choice((f"a{chance.randrange(4)}", f"a{chance.randrange(4)}", "nobody")),
                value_date=chance.choice((None, day)),
            )
        elif happens < 66:
            # An account can only be closed when it is empty: what it has is paid out.
            there = self.site.book(book).accounts[account]
            amount, currency = there.booked, there.currency
            if amount:
                self.tell(
                    Transfer,
                    book,
                    debit=account,
                    credit=f"nostro-{currency}",
                    amount=amount,
                    currency=currency,
                )
            self.tell(CloseAccount, book, account=account, reason="done")
        elif happens < 74:
            self.tell(
                BlockAccount,
                book,
                account=account,
                block=f"b{chance.randrange(3)}",
                direction=chance.choice(("debits", "credits", "both")),
                authority="court",
                reason="order",
            )
        elif happens < 82:
            self.tell(LiftBlock, book, account=account, block=f"b{chance.randrange(3)}", reason="over")
        elif happens < 86:
            self.agree(book, chance.choice([one for one in BOOKS if one != book]))
        elif happens < 92:
            kind = chance.choice((SuspendActor, ReinstateActor))
            self.tell(kind, book, subject="relay", reason="so")
        elif happens < 96:
            # A wall book stands still after a day without anything, until somebody confirms the time.
            self.site.now += chance.choice((1, 24)) * HOUR_MS
            self.tell(ConfirmClock, book, reason="seen")
        else:
            # This book's clock runs away from the others'.
            self.tell(AdvanceTime, book, to_ms=self.site.now + chance.choice((1, 300, 3_000)) * HOUR_MS)

    def check(self) -> None:
        """What holds at every moment."""
        assert is_conserved(self.books()) == []

    def books(self) -> dict[str, Book]:
        return {name: self.site.book(name) for name in BOOKS}

    def events(self) -> list[Event]:
        return [event for one in self.site.partitions for event in one.events()]


@pytest.mark.parametrize("seed", range(16))
def test_money_is_never_created_or_lost(seed: int) -> None:
    simulate(seed, payments=40)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
def test_money_is_never_created_or_lost_at_length(seed: int) -> None:
    simulate(seed, payments=150)


def simulate(seed: int, payments: int) -> None:
    carried = ((BOOKS,), (BOOKS[:1], BOOKS[1:]))[seed % 2]
    world = World(seed, *carried)
    site = world.site
    host = site.host(Relay())
    for _ in range(payments):
        world.something()
        for _ in range(world.chance.randrange(6)):
            host = site.run(Relay, host, steps=1)
            world.check()
    # In the end nobody crashes any more and the relay may work.
    for book in BOOKS:
        world.tell(ConfirmClock, book, reason="in the end")
        world.tell(ReinstateActor, book, subject="relay", reason="in the end")
    site._chance = None
    for one in site.partitions:
        one.log = one.log.reopen(faults=Faults())
        one.restart()
    host = site.run(Relay, steps=5_000)
    world.check()
    assert host.waiting == 0
    assert is_settled(world.books()) == []
    events = world.events()
    count = Counter(type(event) for event in events)
    assert count[CrossBookSent] == count[CrossBookReceived] + count[CrossBookRefused]
    assert count[CrossBookReceived] == count[CrossBookCompleted]
    assert count[CrossBookRefused] == count[CrossBookReleased]
    assert count[CrossBookSent] == count[CrossBookAcknowledged] > 0
    assert not [
        event for event in events if isinstance(event, CommandRejected) and event.reason == "internal_error"
    ]
    for one in site.partitions:
        assert (found := verify(one.log.reader())).ok, found.problems
        assert (again := redecide(one.log.reader())).ok, again.differences

"""Moving a book to another partition: a successor book whose id is placed there takes over the balances.

It is what docs/operations.md says under "Moving a book to another partition", step by step.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from engine.log.partitioning import partition_of
from gateway.relay import Relay
from replay.redecide import redecide
from replay.verify import verify
from schemas.access import DefineRole, GrantRole, Permit, RegisterSystem
from schemas.accounts import CloseAccount, OpenAccount
from schemas.books import OpenBook
from schemas.crossbook import SendToBook
from schemas.message import Command, Event
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.rejections import CommandRejected
from schemas.transfers import Transfer
from tests.crossbook_words import RELAYED
from tests.hosting import Site
from tests.story import ROOT

PARTITIONS = 2
OLD = next(name for number in count() if partition_of((name := f"north-{number}").encode(), PARTITIONS) == 0)
NEW = next(name for number in count() if partition_of((name := f"{OLD}.{number}").encode(), PARTITIONS) == 1)
BALANCES = {"anna": 1_000, "ben": 25, "cleo": 0}


class Move:
    """Two partitions: the book's, and the one where its successor is to be."""

    def __init__(self) -> None:
        self.site = Site([OLD], [NEW])
        self.told = 0
        self.host = self.site.host(Relay("relay"))

    def tell(self, kind: type[Command], book: str, /, **fields: Any) -> Event:
        self.told += 1
        envelope: dict[str, Any] = {"actor": "root", "issued_at_ms": self.site.now}
        (answer,) = self.site.tell(kind(id=f"c{self.told}", book=book, **envelope, **fields))
        assert not isinstance(answer, CommandRejected), answer
        return answer

    def open(self, book: str, other: str) -> None:
        self.tell(OpenBook, book, name=book, currency="EUR", administrators=(ROOT,), clock="commanded")
        self.tell(RegisterSystem, book, system="relay", purpose="payments between books")
        self.tell(
            DefineRole, book, role="relays", permits=tuple(Permit(command=one.__name__) for one in RELAYED)
        )
        self.tell(GrantRole, book, subject="relay", role="relays")
        self.tell(OpenAccount, book, account="nostro", currency="EUR", kind="nostro")
        self.tell(OpenAccount, book, account="between", currency="EUR", kind="inter_book")
        for name in BALANCES:
            self.tell(RegisterParty, book, party=name, kind="person", name=name, status="active")
            self.tell(OpenAccount, book, account=name, currency="EUR", party=name)
        body = {"book": other, "relay": "relay", "accounts": {"EUR": "between"}}
        self.tell(PublishDocument, book, kind="counterpart", document=other, version=1, body=body)

    def carry(self) -> None:
        """Pay every balance over, and let the relay bring it there."""
        for name, account in list(self.site.book(OLD).accounts.items()):
            if account.kind == "customer" and account.booked:
                self.tell(
                    SendToBook,
                    OLD,
                    transfer=f"moved-{name}",
                    account=name,
                    amount=account.booked,
                    currency="EUR",
                    to_book=NEW,
                    to_account=name,
                )
        for _ in range(100):
            self.host.step()
            if not sum([one.step() for one in self.site.partitions]) and not self.host.waiting:
                return
        raise AssertionError("the relay does not come to an end")

    def balances(self, book: str) -> dict[str, int]:
        accounts = self.site.book(book).accounts
        return {name: accounts[name].booked for name in BALANCES}


def test_a_successor_on_the_wanted_partition_takes_over_every_balance() -> None:
    move = Move()
    move.open(OLD, NEW)
    for name, amount in BALANCES.items():
        if amount:
            move.tell(Transfer, OLD, debit="nostro", credit=name, amount=amount, currency="EUR")
    move.open(NEW, OLD)
    before = move.balances(OLD)
    move.carry()
    assert move.balances(NEW) == before == BALANCES
    assert set(move.balances(OLD).values()) == {0}
    for name in BALANCES:
        move.tell(CloseAccount, OLD, account=name, reason="moved")
    between = [move.site.book(book).accounts["between"].booked for book in (OLD, NEW)]
    assert sum(between) == 0, "what the one book owes, the other is owed"
    for one in move.site.partitions:
        assert verify(one.log.reader()).problems == []
        assert redecide(one.log.reader()).differences == []

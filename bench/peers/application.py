"""The eventsourcing library: an Application with an Account aggregate, on SQLite with its durable default.

A transfer changes two aggregates and saves them atomically, in one `save`; one thread writes. It is tried as
the library comes, which reads an aggregate's events whenever it is used, and `cached`, with all that helps:
every aggregate stays in memory and is neither read again nor copied.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import time
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from bench import book
from bench.book import Contention
from bench.measure import Contender, Sample, Size

_FULL = 2


class Account(Aggregate):
    """An account with a floor of zero."""

    @event("Opened")
    def __init__(self, name: str) -> None:
        self.name = name
        self.booked = 0

    @staticmethod
    def create_id(name: str) -> UUID:
        return uuid5(NAMESPACE_URL, name)

    @event("Debited")
    def debit(self, amount: int, reference: str) -> None:
        if self.booked < amount:
            raise ValueError("insufficient funds")
        self.booked -= amount

    @event("Credited")
    def credit(self, amount: int, reference: str) -> None:
        self.booked += amount


class Bank(Application[UUID]):
    """Accounts, and transfers between them."""

    def open(self, name: str, amount: int) -> None:
        account = Account(name)
        account.credit(amount, "opening balance")
        self.save(account)

    def transfer(self, debit: UUID, credit: UUID, amount: int, reference: str) -> None:
        payer: Account = self.repository.get(debit)
        payee: Account = self.repository.get(credit)
        payer.debit(amount, reference)
        payee.credit(amount, reference)
        self.save(payer, payee)


_CACHED = {
    "AGGREGATE_CACHE_MAXSIZE": str(2 * book.ACCOUNTS),
    "AGGREGATE_CACHE_FASTFORWARD": "no",
    "DEEPCOPY_FROM_AGGREGATE_CACHE": "no",
}
WAYS: dict[str, dict[str, str]] = {"application": {}, "application-cached": _CACHED}


class Peer:
    """One file for all rounds."""

    def __init__(self, file: Path, way: str, contention: Contention, size: Size) -> None:
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(file), **WAYS[way]}
        self._bank = Bank(env=env)
        with sqlite3.connect(file) as session:
            level = session.execute("PRAGMA synchronous").fetchone()[0]
            assert level == _FULL, f"this SQLite would not sync every commit (synchronous {level})"
        names = {book.account_id(number) for number in range(book.ACCOUNTS)}
        for name in sorted(names):
            self._bank.open(name, book.OPENING_MINOR)
        self._ids = {name: Account.create_id(name) for name in names}
        self._contention = contention
        self._size = size
        self._turns = itertools.count(1)

    def turn(self) -> Sample:
        """One transfer after the other."""
        ids, transfer = self._ids, self._bank.transfer
        latencies: list[float] = []
        began = now = time.perf_counter()
        some = book.pairs(self._contention, next(self._turns))
        for debit, credit, amount in itertools.islice(some, self._size.events):
            then = now
            transfer(ids[debit], ids[credit], amount, "invoice")
            now = time.perf_counter()
            latencies.append(now - then)
            if now - began > self._size.seconds:
                break
        return Sample(len(latencies), now - began, latencies)

    def close(self) -> None:
        self._bank.close()


def contenders(
    contention: Contention, size: Size, folder: Path, stack: contextlib.ExitStack
) -> list[Contender]:
    """Both ways."""
    found = []
    for way in WAYS:
        peer = Peer(folder / f"{contention}-{way}.sqlite", way, contention, size)
        stack.enter_context(contextlib.closing(peer))
        found.append(Contender(f"{contention}/{way}", peer.turn, "sqlite", 1))
    return found

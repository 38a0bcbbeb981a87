"""`end-of-day`: what closing a day costs with many interest-bearing accounts, and what a command waits.

The worker, the pipeline and the SQLite log are the real ones; the clock is set, to midnight. Two days are
closed, the second one a month's last, whose interest is booked to every account. First each is closed while
nobody sends anything: the work in all, and the longest slice, with its commit. Then the same again while
commands come one by one: what each waited. One account in three moves a day, one in a hundred back in time.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.measure import Figure
from book.state import Book
from engine.admission import Admission
from engine.genesis import begin
from engine.log.recorder import RecorderLog
from engine.log.records import Out
from engine.worker import Worker
from schemas.accounts import OpenAccount
from schemas.books import Administrator, OpenBook
from schemas.catalogue import encode
from schemas.message import Command
from schemas.parties import RegisterParty
from schemas.publishing import PublishDocument
from schemas.transfers import Transfer

ROOT = Administrator(person="ruth", user="root")
BOOK = "bench"
DAY_MS = 86_400_000
FIRST = datetime.date(2026, 1, 30)
NOON_MS = 43_200_000
SIDE = {"credit": ("paid", "payable", "expense"), "debit": ("received", "receivable", "income")}
INTEREST: dict[str, Any] = {
    "currency": "EUR",
    "day_count": "ACT/365",
    "capitalised": "monthly",
    **{
        side: {
            "tiers": [
                {"from_minor": 0, "rate": "0.0125"},
                {"from_minor": 100_000, "rate": "0.0175"},
                {"from_minor": 1_000_000, "rate": "0.02"},
            ],
            "booked_on": booked,
            "accrued_on": accrued,
        }
        for side, (booked, accrued, _) in SIDE.items()
    },
}


def midnight_ms(day: datetime.date) -> int:
    return (day - datetime.date(1970, 1, 1)).days * DAY_MS


class Bank:
    """A book on a clock that is set. worked_s: what each step took in which nobody sent anything."""

    def __init__(self, path: Path, accounts: int) -> None:
        self.now_ms = midnight_ms(FIRST) + NOON_MS
        self.log = RecorderLog.sqlite(path, clock=lambda: self.now_ms)
        begin(self.log, [ROOT], self.now_ms)
        self.worker = Worker(self.log, admission=Admission(), clock=lambda: self.now_ms)
        self.accounts = accounts
        self.told = 0
        self.send(self._opening())

    @property
    def book(self) -> Book:
        return self.worker.folded.partition.books[BOOK]

    def envelope(self) -> dict[str, Any]:
        self.told += 1
        return {"id": f"c{self.told}", "book": BOOK, "actor": "root", "issued_at_ms": self.now_ms}

    def send(self, commands: Iterable[Command]) -> None:
        """Decide them all."""
        outs: list[Out] = []
        for command in commands:
            outs.append(Out(BOOK.encode(), encode(command)))
            if len(outs) == 5_000:
                self._decide(outs)
                outs = []
        self._decide(outs)

    def _decide(self, outs: list[Out]) -> None:
        if outs:
            last = self.log.submit(outs)[-1]
            while self.worker.position < last:
                self.worker.step()

    def _opening(self) -> Iterator[Command]:
        yield OpenBook(
            **self.envelope(),
            name="Bench",
            currency="EUR",
            administrators=(ROOT,),
            clock="wall",
            repeat_cap=100_000_000,
        )
        yield OpenAccount(**self.envelope(), account="nostro", currency="EUR", kind="nostro")
        for booked, accrued, kind in SIDE.values():
            yield OpenAccount(**self.envelope(), account=booked, currency="EUR", kind=kind)  # type: ignore[arg-type]
            yield OpenAccount(**self.envelope(), account=accrued, currency="EUR", kind="accrued")
        body = {"name": "Savings", "interest": [INTEREST]}
        yield PublishDocument(**self.envelope(), kind="product", document="savings", version=1, body=body)
        for number in range(self.accounts):
            if number % 5 == 0:
                yield RegisterParty(
                    **self.envelope(), party=f"p{number // 5}", kind="person", name="N", status="active"
                )
            yield OpenAccount(
                **self.envelope(),
                account=f"a{number}",
                currency="EUR",
                party=f"p{number // 5}",
                product="savings",
                overdraft=1_000_000,
            )
            yield self.transfer("nostro", f"a{number}", 1_000 + number * 7_919 % 3_000_000)

    def transfer(self, debit: str, credit: str, amount: int, days_back: int = 0) -> Transfer:
        value_date = self.book.business_date - datetime.timedelta(days_back) if days_back else None
        return Transfer(
            **self.envelope(),
            debit=debit,
            credit=credit,
            amount=amount,
            currency="EUR",
            value_date=value_date,
        )

    def day(self) -> Iterator[Command]:
        """A day's movements."""
        for number in range(0, self.accounts, 3):
            back = 1 if number % 300 == 0 and self.book.business_date > FIRST else 0
            yield self.transfer("nostro", f"a{number}", 100 + number % 97, back)

    def closes(self) -> list[float]:
        """A day closes while nobody sends anything; what each slice took, with its commit."""
        self.now_ms = midnight_ms(self.book.business_date + datetime.timedelta(1))
        took = []
        while True:
            began = time.perf_counter()
            self.worker._timers_asked = 0.0
            self.worker.step()
            took.append(time.perf_counter() - began)
            due_ms = self.book.end_of_day.due_ms
            if due_ms is None:
                return took
            self.now_ms = due_ms

    def closes_at_work(self) -> list[float]:
        """A day closes while commands come one by one; what each waited until its outcome was durable."""
        self.now_ms = midnight_ms(self.book.business_date + datetime.timedelta(1))
        began_ms, began = self.now_ms, time.perf_counter()
        waited: list[float] = []
        while not waited or self.book.end_of_day.due_ms is not None:
            command = self.transfer("nostro", f"a{len(waited) % self.accounts}", 1)
            sent = time.perf_counter()
            self.now_ms = began_ms + int((sent - began) * 1_000)
            self._decide([Out(BOOK.encode(), encode(command))])
            waited.append(time.perf_counter() - sent)
        return waited


def contends(path: Path, accounts: int) -> Iterator[Figure]:
    """The figures of both ways."""
    bank = Bank(path / "idle.sqlite", accounts)
    for name in ("a day", "a month's last day"):
        bank.send(bank.day())
        yield _figure(f"end-of-day, {name}", accounts, bank.closes())
    bank.log.close()
    bank = Bank(path / "at-work.sqlite", accounts)
    for name in ("a day", "a month's last day"):
        bank.send(bank.day())
        waited = sorted(bank.closes_at_work())
        yield Figure(
            workload=f"end-of-day, {name}: a command waits",
            log="sqlite",
            batch=1,
            p50_ms=round(waited[len(waited) // 2] * 1_000, 2),
            p99_ms=round(waited[len(waited) * 99 // 100] * 1_000, 2),
            longest_ms=round(waited[-1] * 1_000, 2),
        )
    bank.log.close()


def _figure(workload: str, accounts: int, took: list[float]) -> Figure:
    ordered = sorted(took)
    return Figure(
        workload=workload,
        log="sqlite",
        per_s=round(accounts / sum(took)),
        p50_ms=round(ordered[len(ordered) // 2] * 1_000, 2),
        p99_ms=round(ordered[len(ordered) * 99 // 100] * 1_000, 2),
        longest_ms=round(ordered[-1] * 1_000, 2),
        seconds=round(sum(took), 2),
    )

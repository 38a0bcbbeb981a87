"""The pen that writes the demo bank's commands. It keeps its own simple account of what each must lead to:
balances, and the seq of every event, so that a reversal can name the transfer it takes back before the
engine has seen either.

It is a second, naive opinion about the bank, never a source for the engine: the tests compare the two.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from book.end_of_day import PACE_MS
from commands.calendar import midnight_ms
from commands.months import SLICE
from engine.log.records import Out
from schemas.catalogue import encode
from schemas.message import Command
from schemas.transfers import Transfer

REPEATED = "repeated"
"""Expected of a command that was sent before."""
_A_DAY = datetime.timedelta(days=1)


class Sent(NamedTuple):
    """A command of the demo. kind: of what was done, in words.   expected: the reason of its rejection,
    `repeated`, or empty where it is accepted.
    """

    out: Out
    kind: str
    expected: str


class Moved(NamedTuple):
    """A transfer that was accepted, by the seq of its event."""

    seq: int
    command: Transfer
    out: Out


class Pen:
    """balances: minor units by account, booked plus overdraft.   blocked: until when, by account."""

    def __init__(self, book: str, time_zone: str, first_day: datetime.date) -> None:
        self.book = book
        self.key = book.encode()
        self.balances: dict[str, int] = {}
        self.blocked: dict[str, int] = {}
        self.at_ms = midnight_ms(time_zone, first_day)
        self.day = first_day
        self.seq = 0
        self._time_zone = time_zone
        self._midnight_ms = midnight_ms(time_zone, first_day + _A_DAY)
        self._expiries: list[int] = []
        self._count = 0
        self._slices: list[int] = []
        self._slice_ms = 0
        self._written: list[Sent] = []

    def written(self) -> Iterator[Sent]:
        """What was written since the last call."""
        taken, self._written = self._written, []
        return iter(taken)

    def write(
        self,
        kind: str,
        message: Callable[..., Command],
        actor: str,
        at_ms: int,
        expected: str = "",
        /,
        **fields: object,
    ) -> int:
        """Write a command to the book; returns the seq of its event."""
        self._count += 1
        command = message(
            id=f"{actor}-{self._count}", book=self.book, actor=actor, issued_at_ms=at_ms, **fields
        )
        return self.send(kind, Out(self.key, encode(command)), at_ms, expected)

    def tell(self, kind: str, command: Command) -> int:
        """Send a command of the book that has its envelope and will be accepted; returns the seq of its
        event.
        """
        return self.send(kind, Out(self.key, encode(command)), command.issued_at_ms, "")

    def send(self, kind: str, out: Out, at_ms: int, expected: str) -> int:
        """Send a record to the book; returns the seq of its event. Each has one event, and so has each
        timer.
        """
        self._written.append(Sent(out, kind, expected))
        if expected != "not_permitted" and at_ms > self.at_ms:
            self._advance(at_ms)
        self.seq += 1
        return self.seq

    def send_elsewhere(self, kind: str, out: Out, expected: str) -> None:
        """Send a record that is another book's to answer."""
        self._written.append(Sent(out, kind, expected))

    def block(self, account: str, until_ms: int) -> None:
        """The account was blocked until then."""
        self.blocked[account] = until_ms
        heappush(self._expiries, until_ms)

    def can_pay(self, account: str, amount: int, at_ms: int) -> bool:
        """Whether the account has the amount and is not blocked."""
        return self.balances[account] >= amount and self.blocked.get(account, 0) <= max(at_ms, self.at_ms)

    def transfer(
        self,
        kind: str,
        actor: str,
        at_ms: int,
        debit: str,
        credit: str,
        amount: int,
        reference: str,
        currency: str = "EUR",
    ) -> Moved:
        """A transfer that will be accepted."""
        self._count += 1
        command = Transfer(
            id=f"{actor}-{self._count}",
            book=self.book,
            actor=actor,
            issued_at_ms=at_ms,
            debit=debit,
            credit=credit,
            amount=amount,
            currency=currency,
            reference=reference,
        )
        out = Out(self.key, encode(command))
        self.move(debit, credit, amount)
        return Moved(self.send(kind, out, at_ms, ""), command, out)

    def move(self, debit: str, credit: str, amount: int) -> None:
        """Keep the balances."""
        self.balances[debit] -= amount
        self.balances[credit] += amount

    def _advance(self, at_ms: int) -> None:
        self.at_ms = at_ms
        while at_ms >= self._midnight_ms:
            self.seq += sum(self._slices)  # what the day before left is finished before the date rolls
            self.day += _A_DAY
            self.seq += 1
            self._slices, self._slice_ms = [], self._midnight_ms + PACE_MS
            if self.day.day == 1:  # a month's balances are added up, the last slice ends it, the day is done
                self._slices = [1] * ((len(self.balances) - 1) // SLICE) + [3, 1]
            self._midnight_ms = midnight_ms(self._time_zone, self.day + _A_DAY)
        while self._expiries and self._expiries[0] <= at_ms:
            heappop(self._expiries)
            self.seq += 1
        if self._slices and at_ms >= self._slice_ms:  # one before each command, until there is no more
            self.seq += self._slices.pop(0)
            self._slice_ms = at_ms + PACE_MS

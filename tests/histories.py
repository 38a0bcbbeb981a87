"""Histories for what reads logs: a busy bank, decided by the real worker on any log, the same for a seed.

Two books on one partition, `main` (commanded) and `wall`. Everything happens that can: timers fire between
commands and while nobody asks, ids are sent again, reused and forgotten, the wall clock jumps, garbage comes.
`Recorded` is a log whose records a test may change, to see what a reader makes of it.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from engine.genesis import begin
from engine.links import FIRST_LINK, link_of, next_link
from engine.log.memory import MemoryLog
from engine.log.partitioning import Place
from engine.log.recorder import RecorderLog
from engine.log.records import BEFORE_FIRST, LINK, Out, Record
from engine.worker import Worker
from schemas.access import DefineRole, GrantRole, Permit, RegisterPerson, RegisterSystem, RegisterUser, Scope
from schemas.accounts import BlockAccount, CloseAccount, LiftBlock, OpenAccount, SetOverdraft
from schemas.books import (
    Administrator,
    AdvanceTime,
    ClosePeriod,
    ConfirmClock,
    OpenBook,
    RegisterAsset,
    SetRepeatWindow,
)
from schemas.catalogue import decode_event, encode
from schemas.message import Command, Event
from schemas.parties import ChangePartyProfile, ChangePartyStatus, RegisterParty
from schemas.transfers import Leg, PostEntries, RefundTransfer, ReverseTransfer, Transfer

BEGAN_MS = 1_715_767_200_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ROOT = Administrator(person="ruth", user="root", name="Ruth Root")
ACCOUNTS = 12


class Bank:
    """A bank whose clients do all sorts of things. `go_on` may be called again, also after a `recover`."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = BEGAN_MS
        self.sent: list[tuple[bytes, bytes]] = []
        self.told = 0

    def clock(self) -> int:
        return self.now

    def begin(self, log: MemoryLog | RecorderLog) -> None:
        begin(log, [ROOT], self.now)

    def live(self, log: MemoryLog | RecorderLog, steps: int, worker: Worker | None = None) -> Worker:
        """Let `steps` things happen, decided by a worker over the log, which is returned."""
        self.worker = worker = worker or Worker(log, clock=self.clock, batch=7)
        waiting: list[Out] = []
        if not self.sent:
            decide(worker, log, [self._out(command) for command in self._opening()])
        for _ in range(steps):
            self.now += self.random.choice((0, 1, 250, 40_000, HOUR_MS))
            if self.random.random() < 0.01:
                self.now += 2 * DAY_MS + HOUR_MS
            if self.random.random() < 0.05:
                waiting.append(self._out(self._command(ConfirmClock, "wall", reason="seen")))
            waiting += self._something()
            if self.random.random() < 0.3:
                decide(worker, log, waiting)
                waiting = []
            if self.random.random() < 0.05:
                worker._timers_asked = -1.0  # idle books fire their timers
                worker.step()
        decide(worker, log, waiting)
        return worker

    def _command(
        self, of: type[Command], book: str = "main", actor: str = "root", /, **fields: Any
    ) -> Command:
        self.told += 1
        envelope: dict[str, Any] = {
            "id": f"c{self.told}",
            "book": book,
            "actor": actor,
            "issued_at_ms": self.now,
        }
        return of(**{**envelope, **fields})

    def _out(self, command: Command) -> Out:
        value = encode(command)
        self.sent.append((command.book.encode(), value))
        return Out(command.book.encode(), value)

    def _opening(self) -> Iterator[Command]:
        say = self._command
        for book in ("main", "wall"):
            clock = "commanded" if book == "main" else "wall"
            yield say(OpenBook, book, name=book, currency="EUR", administrators=(ROOT,), clock=clock)
            yield say(OpenAccount, book, account="nostro", currency="EUR", kind="nostro")
            yield say(OpenAccount, book, account="nostro-usd", currency="USD", kind="nostro")
            for number in range(ACCOUNTS):
                currency = "USD" if number % 4 == 3 else "EUR"
                yield say(RegisterParty, book, party=f"p{number}", kind="person", name="É", status="active")
                yield say(
                    OpenAccount,
                    book,
                    account=f"a{number}",
                    currency=currency,
                    party=f"p{number}",
                    overdraft=500 * (number % 3),
                )
                nostro = "nostro-usd" if currency == "USD" else "nostro"
                yield say(Transfer, book, debit=nostro, credit=f"a{number}", amount=5_000, currency=currency)
            yield say(RegisterPerson, book, person="tim", name="Tim")
            yield say(RegisterUser, book, user="teller", person="tim")
            permit = Permit(command="Transfer", scope=Scope(amounts={"EUR": 900}))
            yield say(DefineRole, book, role="tellers", permits=(permit,))
            yield say(GrantRole, book, subject="teller", role="tellers")
            yield say(RegisterSystem, book, system="cards", purpose="cards")
        yield say(SetRepeatWindow, repeat_window_ms=3 * DAY_MS, repeat_cap=1_000)

    def _something(self) -> Sequence[Out]:
        chance = self.random
        book = chance.choice(("main", "main", "wall"))
        number = chance.randrange(100)
        if number < 8 and self.sent:
            key, value = chance.choice(self.sent[-60:])
            if number < 6:
                return [Out(key, value)]
            return [Out(key, value.replace(b'"amount":', b'"amount":1'))]
        if number < 11:
            return [
                Out(*pair)
                for pair in chance.choice(
                    (
                        [(b"main", b"{"), (b"main", b'{"type":"Transfer","id":"half"}')],
                        [(b"wall", self._out(self._transfer("main")).value)],
                        [(b"nowhere", encode(self._transfer("nowhere")))],
                        [(b"main", encode(self._command(RegisterAsset, asset="GOLD", scale=3, name="Gold")))],
                    )
                )
            ]
        return [self._out(self._usual(book, number))]

    def _transfer(self, book: str) -> Command:
        chance = self.random
        day = datetime.datetime.fromtimestamp(self.now / 1000, datetime.UTC).date()
        value_date = day - datetime.timedelta(chance.randrange(-1, 5)) if chance.random() < 0.3 else None
        return self._command(
            Transfer,
            book,
            chance.choice(("root", "root", "teller", "cards")),
            debit=chance.choice(("nostro", *[self._account()] * 9)),
            credit=self._account(),
            amount=chance.choice((1, 10, 250, 2_500)),
            currency="USD" if chance.random() < 0.05 else "EUR",
            value_date=value_date,
            reference=f"r{self.told}",
        )

    def _account(self) -> str:
        """One of the accounts, nearly always in EUR, now and then one that there is not."""
        number = self.random.randrange(ACCOUNTS + 1)
        return f"a{number - 1 if number % 4 == 3 and self.random.random() < 0.9 else number}"

    def _posted(self, book: str) -> int:
        """The seq of a transfer that can be taken back, nearly always."""
        days = self.worker.folded.partition.books[book].posted
        seqs = list(days[-1].transfers) if days and self.random.random() < 0.9 else [1]
        return self.random.choice(seqs)

    def _usual(self, book: str, number: int) -> Command:
        chance = self.random
        account = self._account()

        def say(of: type[Command], /, **fields: Any) -> Command:
            return self._command(of, book, **fields)

        if number < 60:
            return self._transfer(book)
        if number < 68:
            amount = chance.randrange(1, 400)
            legs = ((account, -amount), ("a0", amount - 1), ("nostro", chance.choice((1, 1, 2))))
            return say(
                PostEntries, legs=tuple(Leg(account=a, amount=m, currency="EUR") for a, m in legs if m)
            )
        if number < 72:
            return say(ReverseTransfer, transfer=self._posted(book), reason="wrong")
        if number < 80:
            return say(RefundTransfer, transfer=self._posted(book), amount=5, reason="back")
        if number < 82:
            return say(
                BlockAccount,
                account=account,
                block=f"b{chance.randrange(4)}",
                direction=chance.choice(("debits", "credits", "both")),
                authority="court",
                reason="order",
                expires_at_ms=chance.choice((None, *[self.now + chance.randrange(30) * HOUR_MS] * 5)),
            )
        if number < 88:
            return say(LiftBlock, account=account, block=f"b{chance.randrange(4)}", reason="over")
        if number < 90:
            return say(SetOverdraft, account=account, overdraft=chance.randrange(0, 900, 100))
        if number < 91:
            return say(CloseAccount, account=account, reason="done")
        if number < 93:
            return say(ChangePartyProfile, party="p1", name=f"N{self.told}")
        if number < 94:
            status = chance.choice(("active", "blocked"))
            return say(ChangePartyStatus, party=f"p{chance.randrange(ACCOUNTS)}", status=status, reason="so")
        if number < 96:
            return say(AdvanceTime, to_ms=self.now + chance.randrange(0, 2 * DAY_MS))
        day = datetime.datetime.fromtimestamp(self.now / 1000, datetime.UTC).date()
        return say(ClosePeriod, through=day - datetime.timedelta(3))


def decide(worker: Worker, log: MemoryLog | RecorderLog, outs: Sequence[Out]) -> None:
    """Send and answer all of them."""
    if outs:
        last = log.submit(outs)[-1]
        while worker.position < last:  # a log that is far away may need a moment
            worker.step(0.1)
    while worker.step():
        pass
    worker.settle()


def busy_bank(seed: int = 1, steps: int = 600) -> MemoryLog:
    """A busy bank's log in memory, open for its writer."""
    bank = Bank(seed)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    bank.live(log, steps)
    return log


class Recorded:
    """A copy of a log, as lists that may be changed."""

    def __init__(self, log: MemoryLog | RecorderLog | Recorded) -> None:
        self.place: Place = log.place
        self.event_records = list(log.events(BEFORE_FIRST))
        last = log.last_command_offset()
        self.command_records = [
            one for one in log.commands(BEFORE_FIRST, 1_000_000, 0.0) if one.offset <= last
        ]

    def events(self, after: int) -> Iterator[Record]:
        return (record for record in self.event_records if record.offset > after)

    def commands(self, after: int, limit: int, wait_s: float) -> Sequence[Record]:
        return [record for record in self.command_records if record.offset > after][:limit]

    def last_command_offset(self) -> int:
        return self.command_records[-1].offset if self.command_records else BEFORE_FIRST

    def find(self, wanted: Callable[[Any], bool], nth: int = 0) -> int:
        """The index of an event."""
        found = [i for i, record in enumerate(self.event_records) if wanted(decode_event(record.value))]
        return found[nth]

    def event(self, index: int) -> Any:
        return decode_event(self.event_records[index].value)

    def change(self, index: int, **fields: Any) -> Event:
        """Give an event other fields; the links stay as they are. Returns the new event."""
        event: Event = msgspec.structs.replace(self.event(index), **fields)
        self.event_records[index] = msgspec.structs.replace(self.event_records[index], value=encode(event))
        return event

    def relink(self) -> None:
        """Make all links valid, as a forger would who has the code."""
        link = FIRST_LINK
        values: list[bytes] = []
        for index, record in enumerate(self.event_records):
            values.append(record.value)
            if link_of(record.headers) is not None:
                link = next_link(link, values)
                self.event_records[index] = msgspec.structs.replace(record, headers=((LINK, link),))
                values = []

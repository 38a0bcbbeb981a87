"""A random history of two books through the real worker: everything that can happen, and hostile texts."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator

from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import Out
from engine.worker import Worker
from schemas.access import (
    DefineRole,
    GrantRole,
    Permit,
    RegisterPerson,
    RegisterSystem,
    RegisterUser,
    ReinstateActor,
    RevokeRole,
    SuspendActor,
)
from schemas.accounts import BlockAccount, CloseAccount, LiftBlock, OpenAccount, SetOverdraft
from schemas.books import Administrator, AdvanceTime, ClosePeriod, OpenBook, RegisterAsset
from schemas.catalogue import encode
from schemas.message import Command
from schemas.parties import ChangePartyProfile, ChangePartyStatus, RegisterParty
from schemas.transfers import Leg, PostEntries, RefundTransfer, ReverseTransfer, Transfer
from tests.hostile import HOSTILE

BEGAN_MS = 1_704_103_200_000  # 1 January 2024, 10:00 UTC
DAY_MS = 86_400_000
BOOKS = ("main", "side")
ROOT = Administrator(person="ruth", user="root", name="Ruth \\ Root")


class Bank:
    """The history so far, the same for a seed. log: what was answered.   run: that many records more."""

    def __init__(self, seed: int, *, clock: Callable[[], int] = lambda: BEGAN_MS) -> None:
        self.chance = random.Random(seed)
        self.log = MemoryLog(clock=clock)
        begin(self.log, [ROOT], BEGAN_MS)
        self.worker = Worker(self.log, clock=clock)
        self.now = BEGAN_MS
        self.told = 0
        self.sent: list[Out] = []
        self.submit(*(Out(one.book.encode(), encode(one)) for one in self._opening()))

    def submit(self, *records: Out) -> None:
        """Have them all answered."""
        for record in records:
            self.log.submit([record])
            while self.worker.step():
                pass

    def run(self, commands: int) -> None:
        for _ in range(commands):
            self.now += self.chance.choice((0, 1, 1000, 60_000))
            self.submit(self._next())

    def _opening(self) -> Iterator[Command]:
        for book in BOOKS:
            yield self._said(
                OpenBook,
                book=book,
                name=f"Book of {self._text(100)}",
                currency="EUR",
                administrators=(ROOT,),
                clock="commanded",
                reversible_days=3,
            )
            for currency in ("EUR", "JPY"):
                yield self._said(
                    OpenAccount, book=book, account=f"nostro-{currency}", currency=currency, kind="nostro"
                )
            for number in range(8):
                yield self._party(book, number)
                yield self._account(book, number)

    def _said(self, kind: type[Command], /, **fields: object) -> Command:
        self.told += 1
        envelope = {"id": f"c{self.told}", "book": "main", "actor": "root", "issued_at_ms": self.now}
        return kind(**{**envelope, **fields})  # type: ignore[arg-type]

    def _text(self, longest: int = 500) -> str:
        return self.chance.choice(HOSTILE)[:longest]

    def _party(self, book: str, number: int) -> Command:
        return self._said(
            RegisterParty,
            book=book,
            party=f"p{number}",
            kind=self.chance.choice(("person", "business")),
            name=self._text(),
            born_on=self.chance.choice((None, datetime.date(1970, 2, 28))),
            number=self._text(),
            segment=self._text(64),
            branch=self._text(64),
            status="active",
        )

    def _account(self, book: str, number: int) -> Command:
        return self._said(
            OpenAccount,
            book=book,
            account=f"a{number}",
            currency=self.chance.choice(("EUR", "EUR", "JPY")),
            party=f"p{number}",
            product=self._text(64),
            branch=self._text(64),
            overdraft=self.chance.choice((0, 50_000)),
        )

    def _next(self) -> Out:
        chance = self.chance
        if self.sent and chance.random() < 0.06:  # a retry, or the same id for something else
            return chance.choice(self.sent)
        if chance.random() < 0.04:
            return self._no_command()
        command = chance.choices(self._choices, weights=self._weights)[0](self, chance.choice(BOOKS))
        out = Out(command.book.encode(), encode(command))
        self.sent.append(out)
        return out

    def _no_command(self) -> Out:
        value = self.chance.choice(
            (
                b"\xff\xfe",
                b"{",
                b'{"type":"Transfer","id":"c3","book":"main"}',
                b'{"type":"Transfer","id":"\\u0000\\n\\t","amount":"\\\\N"}',
                b'{"type":"\xf0\x9f\x98\x80\\\\","id":"' + b"x" * 300 + b'"}',
            )
        )
        return Out(self.chance.choice((b"main", b"nobody", b"")), value)

    def _envelope(self) -> dict[str, object]:
        """Now and then from somebody who may not, or under an id full of traps."""
        chance = self.chance
        envelope: dict[str, object] = {}
        if chance.random() < 0.05:
            envelope["actor"] = chance.choice(("mallory", self._text(64) or "x", "teller"))
        if chance.random() < 0.1:
            self.told += 1
            envelope["id"] = f"{self._text(50)}{self.told}"
        if chance.random() < 0.02:
            envelope["book"] = chance.choice(("nobody", "~system"))
        return envelope

    def _any_account(self, book: str, currency: str = "") -> str:
        """Most times one that exists, in the currency."""
        accounts = self.worker.folded.partition.books[book].accounts
        known = [name for name, one in accounts.items() if currency in ("", one.currency)]
        return self.chance.choice(known) if known and self.chance.random() < 0.95 else "nowhere"

    def _transfer(self, book: str) -> Command:
        chance = self.chance
        day = datetime.datetime.fromtimestamp(self.now / 1000, datetime.UTC).date()
        currency = chance.choice(("EUR", "EUR", "EUR", "JPY"))
        fields: dict[str, object] = {}
        if chance.random() < 0.3:
            earlier = day - datetime.timedelta(days=chance.randrange(1, 4))
            fields["value_date"] = max(day.replace(day=1), earlier)
        return self._said(
            Transfer,
            **{"book": book, **self._envelope()},
            debit=chance.choice((f"nostro-{currency}", self._any_account(book, currency))),
            credit=self._any_account(book, currency),
            amount=chance.choice((*[chance.randrange(1, 20_000)] * 8, 1, 2**62)),
            currency=currency,
            reference=self._text(),
            **fields,
        )

    def _entries(self, book: str) -> Command:
        chance = self.chance
        legs = [
            (self._any_account(book, "EUR"), chance.randrange(-900, 900) or 1)
            for _ in range(chance.randrange(1, 5))
        ]
        legs.append(("nostro-EUR", -sum(amount for _, amount in legs) or 1))
        return self._said(
            PostEntries,
            book=book,
            legs=tuple(Leg(account=account, amount=amount, currency="EUR") for account, amount in legs),
            reference=self._text(),
        )

    def _some_actor(self, book: str) -> str:
        actors = [one for one in self.worker.folded.partition.books[book].actors if one != "root"]
        return self.chance.choice([*actors[:2], "nobody"])

    def _some_seq(self, book: str) -> int:
        newest = self.worker.folded.partition.books[book].seq
        return self.chance.randrange(max(1, newest - 6), newest + 2)

    _choices: tuple[Callable[[Bank, str], Command], ...] = (
        _transfer,
        _entries,
        lambda self, book: self._said(
            ReverseTransfer, book=book, transfer=self._some_seq(book), reason=self._text()
        ),
        lambda self, book: self._said(
            RefundTransfer,
            book=book,
            transfer=self._some_seq(book),
            amount=self.chance.randrange(1, 500),
            reason=self._text(),
        ),
        lambda self, book: self._party(book, self.chance.randrange(14)),
        lambda self, book: self._account(book, self.chance.randrange(14)),
        lambda self, book: self._said(
            ChangePartyProfile,
            book=book,
            party=f"p{self.chance.randrange(14)}",
            name=self._text(),
            segment=self._text(64),
            born_on=datetime.date(1, 1, 1),
        ),
        lambda self, book: self._said(
            ChangePartyStatus,
            book=book,
            party=f"p{self.chance.randrange(14)}",
            status=self.chance.choice(("active", "blocked", "closed")),
            reason=self._text(),
        ),
        lambda self, book: self._said(
            SetOverdraft, book=book, account=self._any_account(book), overdraft=self.chance.randrange(100_000)
        ),
        lambda self, book: self._said(
            BlockAccount,
            book=book,
            account=self._any_account(book),
            block=f"b{self.chance.randrange(5)}",
            direction=self.chance.choice(("debits", "credits", "both")),
            authority=self._text(),
            reason=self._text(),
            expires_at_ms=self.chance.choice((None, self.now + DAY_MS // 2)),
        ),
        lambda self, book: self._said(
            LiftBlock,
            book=book,
            account=self._any_account(book),
            block=f"b{self.chance.randrange(5)}",
            reason=self._text(),
        ),
        lambda self, book: self._said(
            CloseAccount, book=book, account=self._any_account(book), reason=self._text()
        ),
        lambda self, book: self._said(
            RegisterPerson, book=book, person=f"h{self.chance.randrange(6)}", name=self._text()
        ),
        lambda self, book: self._said(
            RegisterUser,
            book=book,
            user=self.chance.choice(("teller", f"u{self.chance.randrange(6)}")),
            person=f"h{self.chance.randrange(6)}",
        ),
        lambda self, book: self._said(
            RegisterSystem, book=book, system=f"s{self.chance.randrange(4)}", purpose=self._text()
        ),
        lambda self, book: self._said(
            DefineRole,
            book=book,
            role=f"r{self.chance.randrange(3)}",
            permits=(Permit(command=self.chance.choice(("Transfer", "OpenAccount"))),),
        ),
        lambda self, book: self._said(
            self.chance.choice((GrantRole, RevokeRole)),
            book=book,
            subject=self._some_actor(book),
            role=f"r{self.chance.randrange(3)}",
        ),
        lambda self, book: self._said(
            self.chance.choice((SuspendActor, ReinstateActor)),
            book=book,
            subject=self._some_actor(book),
            reason=self._text(),
        ),
        lambda self, book: self._said(
            RegisterAsset,
            book=book,
            asset=self.chance.choice(("GOLD", "COAL_2", "TIME")),
            scale=self.chance.randrange(10),
            name=self._text(),
        ),
        lambda self, book: self._said(
            ClosePeriod,
            book=book,
            through=datetime.datetime.fromtimestamp(self.now / 1000, datetime.UTC).date()
            - datetime.timedelta(days=2),
        ),
        lambda self, book: self._ahead(book),
    )
    _weights = (60, 8, 6, 9, 3, 5, 3, 4, 3, 2, 4, 3, 3, 4, 2, 3, 10, 5, 2, 2, 3)

    def _ahead(self, book: str) -> Command:
        self.now += DAY_MS // 2
        return self._said(AdvanceTime, book=book, to_ms=self.now)

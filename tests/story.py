"""Given, when, then in the domain's words, on the real pipeline: a worker over a log in memory, and one book.

Each `given` begins a story of its own: the book `main` in EUR with the administrator `root`, and the bank's
own accounts `nostro` (EUR) and `nostro-usd`. Its clock is commanded unless the first word is `book(...)`. The
story's clock moves a millisecond with each command and further with `later(...)`; a commanded book follows it
through `issued_at_ms`, a wall book through the time at which the log takes the record.

Every `then` also folds the log anew and compares: what was decided on must be what a replay would find.
"""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from book.digest import book_digest
from book.state import Account, Book
from engine.admission import Admission
from engine.fold import Folded
from engine.genesis import begin
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Headers, Out, Record
from engine.pipeline import Answer
from engine.worker import Worker
from replay.redecide import redecide
from replay.verify import verify
from schemas.access import DefineRole, GrantRole, Permit, RegisterPerson, RegisterSystem, RegisterUser, Scope
from schemas.accounts import BlockAccount, CloseAccount, OpenAccount
from schemas.books import Administrator, AdvanceTime, OpenBook
from schemas.catalogue import decode_event, encode
from schemas.fields import AccountKind, Direction, PartyStatus
from schemas.message import Command, Event
from schemas.parties import ChangePartyStatus, RegisterParty
from schemas.rejections import CommandRejected, CommandRepeated, Reason
from schemas.transfers import Leg, PostEntries, RefundTransfer, ReverseTransfer, Transfer
from tests.overlays import prove_overlay

BEGAN_MS = 1_715_767_200_000
"""When a story begins unless it says so: Wednesday 15 May 2024, 10:00 UTC."""
TODAY = datetime.date(2024, 5, 15)
DAY_MS = 86_400_000
MAIN = "main"
ROOT = Administrator(person="ruth", user="root", name="Ruth Root")


@dataclass(frozen=True)
class Said:
    """A command without its envelope. Who sends it, under which id and when is the story's, unless told."""

    kind: type[Command]
    fields: Mapping[str, Any]
    envelope: Mapping[str, Any] = field(default_factory=dict)

    def by(self, actor: str) -> Said:
        return self._enveloped(actor=actor)

    def with_id(self, command_id: str) -> Said:
        return self._enveloped(id=command_id)

    def issued_at(self, issued_at_ms: int) -> Said:
        return self._enveloped(issued_at_ms=issued_at_ms)

    def to(self, book_id: str) -> Said:
        return self._enveloped(book=book_id)

    def _enveloped(self, **parts: Any) -> Said:
        return replace(self, envelope={**self.envelope, **parts})


@dataclass(frozen=True)
class Later:
    """Time goes by."""

    ms: int


@dataclass(frozen=True)
class ThatWith:
    """The transfer with this reference, which is named by a seq that only the story knows."""

    reference: str


@dataclass(frozen=True)
class Known:
    """What only the story knows when it gets there."""

    find: Callable[[], Any]


Word = Said | Later | Sequence["Word"]


class Story:
    """One log, one worker, and what came of each command. `answers`: offset of the command to its events."""

    def __init__(
        self, opening: Said, *, began: int, admission: Admission | None = None, batch: int | None = None
    ) -> None:
        self.now = began
        self.told = 0
        self.answers: dict[int, tuple[Event, ...]] = {}
        self.last: tuple[Event, ...] = ()
        self.admission = admission
        self.batch = batch
        self.log = MemoryLog(clock=lambda: self.now)
        begin(self.log, [ROOT], self.now)
        self.worker = self._recruit()
        self.tell(opening)
        self.test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]

    def _recruit(self, folded: Folded | None = None) -> Worker:
        worker = Worker(
            self.log,
            folded,
            admission=self.admission,
            answered=self._answered,
            clock=lambda: self.now,
            batch=self.batch,
        )
        worker._timers_asked = math.inf  # timers of idle books fire when the story says so: see `idle`
        return worker

    def _answered(self, records: Sequence[Record], answers: Sequence[Answer]) -> None:
        for record, answer in zip(records, answers, strict=True):
            assert record.offset not in self.answers, "a command is answered once"
            self.answers[record.offset] = tuple(decode_event(value) for value in answer)

    @property
    def book(self) -> Book:
        return self.worker.folded.partition.books[MAIN]

    @property
    def system(self) -> Book:
        return self.worker.folded.partition.system

    def recover(self) -> None:
        """The engine ends, and another takes over from what is stored."""
        self.log = self.log.reopen()
        self.worker = self._recruit()

    def command(self, said: Said) -> Command:
        """The command with its envelope."""
        self.told += 1
        envelope = {"id": f"c{self.told}", "book": MAIN, "actor": "root", "issued_at_ms": self.now}
        fields = {name: self._meant(value) for name, value in said.fields.items()}
        return said.kind(**{**envelope, **fields, **said.envelope})

    def _meant(self, value: Any) -> Any:
        if isinstance(value, Known):
            return value.find()
        return self.seq_of(value.reference) if isinstance(value, ThatWith) else value

    def seq_of(self, reference: str) -> int:
        """The seq of the transfer or posting with this reference."""
        (seq,) = (one.seq for one in self.events() if getattr(one, "reference", "") == reference)
        return seq

    def tell(self, said: Said) -> tuple[Event, ...]:
        """Send the command, let the worker answer it, and return its outcome."""
        self.now += 1
        command = self.command(said)
        return self.send(encode(command), command.book.encode())

    def send(self, value: bytes, key: bytes = MAIN.encode(), headers: Headers = ()) -> tuple[Event, ...]:
        """Send any bytes as a record, let the worker answer it, and return its outcome."""
        offset = self.log.submit([Out(key, value, headers)]).start
        while offset not in self.answers:
            assert self.worker.step(), "what waits is answered"
        self.last = self.answers[offset]
        return self.last

    def idle(self) -> None:
        """Nothing comes in for a moment."""
        self.look_at_timers()
        assert self.worker.step() == 0
        self.worker._timers_asked = math.inf

    def look_at_timers(self) -> None:
        """The worker's next step looks at the timers of books that nobody writes to."""
        self.worker._timers_asked = -math.inf

    def hear(self, *words: Word) -> list[tuple[Event, ...]]:
        """Whatever is said, in order; the outcome of each command."""
        outcomes: list[tuple[Event, ...]] = []
        for word in words:
            if isinstance(word, Later):
                self.now += word.ms
            elif isinstance(word, Said):
                outcomes.append(self.tell(word))
            else:
                outcomes.extend(self.hear(*word))
        return outcomes

    def events(self) -> list[Event]:
        """Everything that happened, as stored."""
        return [decode_event(record.value) for record in self.log.events(BEFORE_FIRST)]

    def check(self) -> None:
        """The state is the fold of the log, and the books of double entry balance."""
        folded = Folded()
        folded.apply(self.log.events(BEFORE_FIRST))
        here, there = self.worker.folded.partition, folded.partition
        assert {name: book_digest(book) for name, book in here.books.items()} == {
            name: book_digest(book) for name, book in there.books.items()
        }
        assert here.position == there.position
        for book in here.books.values():
            sums: dict[str, int] = {}
            for one in book.accounts.values():
                sums[one.currency] = sums.get(one.currency, 0) + one.booked
            assert not any(sums.values()), f"accounts sum to {sums}"


class _Told:
    story: Story | None = None


def story() -> Story:
    """The story that is being told."""
    told = _Told.story
    assert told is not None, "a story begins with `given`"
    assert told.test == os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0], "that is another test's"
    return told


def forget() -> None:
    """No story is being told."""
    _Told.story = None


def prove() -> None:
    """The story that was told, if there was one, is whole, and is decided again to the byte; and its second
    half could be tried on an overlay.
    """
    told = _Told.story
    if told is None:
        return
    verified = verify(told.log.reader())
    assert verified.ok, verified.problems
    again = redecide(told.log.reader())
    assert again.ok, again.differences
    prove_overlay(list(told.log.reader().events(BEFORE_FIRST)))


def given(
    *words: Word, began: int = BEGAN_MS, admission: Admission | None = None, batch: int | None = None
) -> Story:
    """Begin a story. All of it has to be accepted."""
    first = words[0] if words else None
    opening = first if isinstance(first, Said) and first.kind is OpenBook else book()
    _Told.story = told = Story(opening, began=began, admission=admission, batch=batch)
    bank = [internal("nostro"), internal("nostro-usd", currency="USD")]
    for outcome in told.hear(bank, *(word for word in words if word is not opening)):
        assert not isinstance(outcome[0], CommandRejected), f"given what is refused: {outcome[0]}"
    return told


def when(*words: Word) -> list[tuple[Event, ...]]:
    """Go on with the story. Returns the outcome of each command; `then` asks about the last."""
    return story().hear(*words)


def then(*expected: Expected) -> tuple[Event, ...]:
    """The last outcome consists of exactly these events."""
    told = story()
    happened_ = told.last
    assert len(happened_) == len(expected), f"{happened_} is not {expected}"
    for event, one in zip(happened_, expected, strict=True):
        one.check(event)
    told.check()
    return happened_


@dataclass(frozen=True)
class Expected:
    """An event of this type with, among others, these fields, and for a rejection these figures."""

    kind: type[Event]
    fields: Mapping[str, Any]
    figures: Mapping[str, int | str] = field(default_factory=dict)

    def check(self, event: Event) -> None:
        assert type(event) is self.kind, f"{event} is not {self}"
        for name, value in self.fields.items():
            assert getattr(event, name) == value, f"{name}: {event} is not {self}"
        if isinstance(event, CommandRejected):
            for name, figure in self.figures.items():
                assert event.figures.get(name) == figure, f"{name}: {event} is not {self}"


def happened(kind: type[Event], /, **fields: Any) -> Expected:
    return Expected(kind, fields)


def rejected(reason: Reason, **figures: int | str) -> Expected:
    return Expected(CommandRejected, {"reason": reason}, figures)


def repeated(first_seq: int, reason: str = "") -> Expected:
    return Expected(CommandRepeated, {"first_seq": first_seq, "reason": reason})


# --- what can be asked of the book ------------------------------------------------------------------------


def the_account(account_id: str) -> Account:
    return story().book.accounts[account_id]


def balance(account_id: str) -> int:
    return the_account(account_id).booked


# --- what can be said -------------------------------------------------------------------------------------


def say(kind: type[Command], /, **fields: Any) -> Said:
    """Any command."""
    return Said(kind, fields)


def later(*, days: float = 0, ms: int = 0) -> Later:
    return Later(round(days * DAY_MS) + ms)


def book(**fields: Any) -> Said:
    opening = {"name": "Main", "currency": "EUR", "administrators": (ROOT,), "clock": "commanded"}
    return say(OpenBook, **{**opening, **fields})


def party(party_id: str, status: PartyStatus = "active", **fields: Any) -> Word:
    """A party, brought to its status the way there is."""
    first = "pending" if status == "pending" else "active"
    registered = say(
        RegisterParty,
        **{"party": party_id, "kind": "person", "name": party_id.title(), "status": first, **fields},
    )
    return [registered] if status == first else [registered, party_becomes(party_id, status)]


def party_becomes(party_id: str, status: PartyStatus) -> Said:
    return say(ChangePartyStatus, party=party_id, status=status, reason="told so")


def account(
    account_id: str, balance: int = 0, *, currency: str = "EUR", party_id: str = "", **fields: Any
) -> Word:
    """A customer's account with a balance in minor units, of its own party unless there is one."""
    owner = party_id or f"p-{account_id}"
    opened = say(OpenAccount, account=account_id, currency=currency, party=owner, **fields)
    nostro = "nostro" if currency == "EUR" else "nostro-usd"
    return [
        [] if party_id else party(owner),
        opened,
        [transfer(nostro, account_id, balance, currency=currency)] if balance else [],
    ]


def internal(account_id: str, kind: AccountKind = "nostro", *, currency: str = "EUR", **fields: Any) -> Said:
    """An account of the bank's own."""
    return say(OpenAccount, account=account_id, currency=currency, kind=kind, **fields)


def transfer(debit: str, credit: str, amount: int, *, currency: str = "EUR", **fields: Any) -> Said:
    return say(Transfer, debit=debit, credit=credit, amount=amount, currency=currency, **fields)


def entries(*legs: tuple[str, int] | tuple[str, int, str], **fields: Any) -> Said:
    """A posting with several legs: (account, signed amount[, currency])."""
    told = tuple(
        Leg(account=one[0], amount=one[1], currency=one[2] if len(one) == 3 else "EUR") for one in legs
    )
    return say(PostEntries, legs=told, **fields)


def reversal(of: str | int) -> Said:
    """Of the transfer with this reference, or seq."""
    return say(ReverseTransfer, transfer=ThatWith(of) if isinstance(of, str) else of, reason="wrong")


def refund(of: str | int, amount: int) -> Said:
    """Of the transfer with this reference, or seq."""
    that = ThatWith(of) if isinstance(of, str) else of
    return say(RefundTransfer, transfer=that, amount=amount, reason="goods came back")


def block(
    account_id: str, block_id: str, direction: Direction = "both", expires_at_ms: int | None = None
) -> Said:
    return say(
        BlockAccount,
        account=account_id,
        block=block_id,
        direction=direction,
        authority="court",
        reason="order 7",
        expires_at_ms=expires_at_ms,
    )


def closed(account_id: str) -> Said:
    return say(CloseAccount, account=account_id, reason="done")


def advance(to_ms: int) -> Said:
    return say(AdvanceTime, to_ms=to_ms)


def user(user_id: str, *, of_party: str = "", roles: Sequence[str] = ()) -> Word:
    """A user of a person of its own, with roles."""
    person = f"person-{user_id}"
    return [
        say(RegisterPerson, person=person, name=user_id.title()),
        say(RegisterUser, user=user_id, person=person, party=of_party),
        [grant(user_id, one) for one in roles],
    ]


def system(system_id: str, *, roles: Sequence[str] = ()) -> Word:
    return [
        say(RegisterSystem, system=system_id, purpose="payments"),
        [grant(system_id, one) for one in roles],
    ]


def role(role_id: str, *commands: str | type[Command], scope: Scope | None = None) -> Said:
    """A role that permits these commands, each within the scope."""
    names = [one if isinstance(one, str) else one.__name__ for one in commands]
    return say(
        DefineRole, role=role_id, permits=tuple(Permit(command=one, scope=scope or Scope()) for one in names)
    )


def grant(actor: str, role_id: str) -> Said:
    return say(GrantRole, subject=actor, role=role_id)

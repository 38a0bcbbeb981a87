"""A random history of two banks and their business: every capability, through the real worker, all together.

Commands are made from their types. A field is filled by its name: with something that the book has (account,
payment, hold, approval; learned from the events so far), now and then with something that it has not. So
a new capability takes part once its commands stand in the catalogue. `tests/random_bank.py` is
its sibling for hostile texts and access.
"""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect

from book.state import Book
from engine.errors import DaybookError
from engine.genesis import begin
from engine.log.faults import Crash, Faults
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from engine.reactor import Host
from engine.worker import Worker
from gateway.relay import Relay
from schemas import access, books, case_commands, case_reports, case_work, reviews
from schemas.access import ReinstateActor, SuspendActor
from schemas.approvals import Approve
from schemas.books import Administrator, AdvanceTime, ClosePeriod
from schemas.bulk import SubmitBulk
from schemas.case_commands import OpenCase
from schemas.catalogue import COMMANDS, MONEY_EVENTS, decode_event, encode
from schemas.exchange import Exchange
from schemas.fees import Fee, WaiveFee
from schemas.fields import NEW_ID
from schemas.message import Command, Event
from schemas.publishing import PublishDocument
from tests.business_opening import BEGAN_MS, HOUR_MS, PEOPLE, documents, opening
from tests.crossbook_words import RELAYED

ELSEWHERE = frozenset({*RELAYED, *access.COMMANDS, *books.COMMANDS}) - {
    AdvanceTime,
    ClosePeriod,
    ReinstateActor,
    SuspendActor,
}
"""What is not drawn: the relay's words, who may do what, the book's own terms."""
OFTEN = {"Transfer": 14, "SubmitPayment": 8, "ReportPayment": 14, "PlaceHold": 6, "CaptureHold": 8}
OFTEN |= {"ReportAlerts": 8, "TakeNextCase": 6, "ProposeDecision": 6, "ConfirmDecision": 8}
OFTEN |= {"Approve": 12, "SendToBook": 8, "AdvanceTime": 5, "PostEntries": 2}
SELDOM = {"CloseAccount", "BlockAccount", "ChangePartyStatus", "SetOverdraft", "OpenAccount", "RegisterParty"}
SELDOM |= {"StopPayments", "SetScreening", "SuspendActor", "ClosePeriod", "PublishDocument"}


CASEWORK = {*case_commands.COMMANDS, *case_work.COMMANDS, *case_reports.COMMANDS} - {OpenCase}
"""What is said about cases that there are, most times by who has them."""


class Business:
    """The history so far, the same for a seed."""

    def __init__(self, seed: int, *, faults: Faults | None = None) -> None:
        self.chance = random.Random(seed)
        self.now = BEGAN_MS
        self.told = 0
        self.crashes = 0
        self.known: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.seqs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self.fees: defaultdict[str, list[tuple[int, Fee]]] = defaultdict(list)
        self._heard = BEFORE_FIRST
        self.log = MemoryLog(clock=self.clock)
        begin(self.log, [Administrator(person="ruth", user="root")], self.now)
        self.worker = Worker(self.log, clock=self.clock, batch=5)
        for command in opening():
            (answer,) = self.submit(command)
            assert type(answer).__name__ != "CommandRejected", (command, answer)
        if faults is not None:
            self.log = self.log.reopen(faults=faults)
            self._recover()
        self.host = Host(Relay(), [self.log.reader()], self._send, clock=self.clock)
        drawn = [kind for kind in COMMANDS if kind not in ELSEWHERE]
        self._drawn = [
            (kind, 1 if kind.__name__ in SELDOM else OFTEN.get(kind.__name__, 4)) for kind in drawn
        ]

    def clock(self) -> int:
        return self.now

    def book(self, name: str) -> Book:
        return self.worker.folded.partition.books[name]

    def events(self) -> list[Event]:
        return [decode_event(record.value) for record in self.log.events(BEFORE_FIRST)]

    def run(self, commands: int) -> None:
        """So many commands more, and what the relay makes of them."""
        kinds, weights = zip(*self._drawn, strict=True)
        for _ in range(commands):
            self.now += self.chance.choice((0, 1, 1_000, 60_000, HOUR_MS))
            kind = self.chance.choices(kinds, weights)[0]
            self.submit(self._made(kind))
            if self.chance.random() < 0.5:
                self.host.step()
                self._work()

    def submit(self, *commands: Command) -> list[Event]:
        """Have them answered; returns the first event of each outcome, if no crash took it."""
        before = self._heard
        self._send([Out(one.book.encode(), encode(one)) for one in commands])
        self._work()
        answers: dict[tuple[str, str], Event] = {}
        for record in self.log.events(before):
            event = decode_event(record.value)
            answers.setdefault((event.actor, event.command), event)
        return [answers[one.actor, one.id] for one in commands if (one.actor, one.id) in answers]

    def _send(self, outs: Sequence[Out]) -> None:
        self.log.submit(outs)

    def _work(self) -> None:
        while True:
            try:
                if not self.worker.step():
                    break
            except (Crash, DaybookError):
                self.crashes += 1
                self._recover()
        for record in self.log.events(self._heard):
            self._learn(decode_event(record.value))
            self._heard = record.offset

    def _recover(self) -> None:
        while True:
            try:
                self.log = self.log.reopen()
                self.worker = Worker(self.log, clock=self.clock, batch=5)
            except (Crash, DaybookError):
                continue
            return

    def _learn(self, event: Event) -> None:
        """What an event says of a field is what a later command can say of the field of that name."""
        known = self.known
        for name in event.__struct_fields__:
            value = getattr(event, name)
            if isinstance(value, str) and value:
                pool = known[event.book, name]
                if value not in pool[-40:]:
                    pool.append(value)
        if type(event) in MONEY_EVENTS:
            self.seqs[event.book, "transfer"].append(event.seq)
        # Also those that are only reserved, which nobody can be given back.
        self.fees[event.book].extend((event.seq, fee) for fee in getattr(event, "fees", ()))

    # --- a command of a type ------------------------------------------------------------------------------

    def _made(self, kind: type[Command]) -> Command:
        book = self.chance.choice(("main", "main", "side"))
        self.told += 1
        fields: dict[str, Any] = {}
        info = inspect.type_info(kind)
        assert isinstance(info, inspect.StructType)
        for field in info.fields:
            if field.name in {"id", "book", "actor", "issued_at_ms"}:
                continue
            if not field.required and self.chance.random() < 0.7:
                continue
            fields[field.name] = self._value(book, field.name, field.type)
        if kind in reviews.COMMANDS and (in_review := list(self.book(book).payments.reviews)):
            fields["payment"] = self.chance.choice(in_review)
        if kind is WaiveFee and (fees := self.fees[book]):
            charged, fee = self.chance.choice(fees[-8:])
            fields = {"charged": charged, "account": fee.account, "line": fee.line, "reason": "goodwill"}
        if kind is Exchange:
            number = self.chance.randrange(6)
            sides = self.chance.sample((f"a{number}", f"u{number}"), 2)
            fields = {"debit": sides[0], "credit": sides[1], "sell_amount": self.chance.choice((1, 99, 700))}
        if kind is PublishDocument:
            fields = self._document(book)
        if kind is SubmitBulk:
            fields["totals"] = totals(fields["instructions"])
        if kind in {SuspendActor, ReinstateActor}:
            fields["subject"] = self.chance.choice((*PEOPLE[1:], "gate", "relay"))
        if kind is AdvanceTime:
            self.now += self.chance.choice((HOUR_MS, 10 * HOUR_MS, 30 * HOUR_MS))
            fields["to_ms"] = self.now
        if kind is Approve:
            waiting = self.book(book).approvals.waiting.get(fields["approval"])
            fields["shown"] = waiting.shown if waiting is not None else "0" * 64
        actor = self._actor(kind)
        if kind in CASEWORK:
            actor = self._on_case(book, fields) or actor
        envelope = {
            "type": kind.__name__,
            "id": f"c{self.told}",
            "book": book,
            "actor": actor,
            "issued_at_ms": max(self.now, self.book(book).at),
        }
        made: Command = msgspec.convert({**envelope, **fields}, kind)
        return made

    def _document(self, book: str) -> dict[str, Any]:
        """A new version of a document that is there: other prices, limits, rates; at once or soon."""
        chance = self.chance
        kind, name, body = chance.choice(list(documents("side" if book == "main" else "main")))
        if kind == "limits":
            body["lines"][0]["most"] = chance.choice((500, 5_000, 50_000))
        elif kind == "tariff":
            body["lines"][0]["flat"] = chance.choice((1, 4, 40))
            body["packages"][0]["units"] = chance.choice((1, 10))
        elif kind == "product":
            body["interest"][0]["credit"]["tiers"][0]["rate"] = chance.choice(("0", "0.01", "0.12"))
        elif kind == "rates":
            body["pairs"][0]["mid"] = self.chance.choice(("1.0500", "1.0800", "1.2345"))
        elif kind == "rail":
            body["screening"] = chance.choice(("cleared", "pending"))
        elif kind == "rules":
            body["stage"] = chance.choice(("live", "live", "shadow", "off"))
            body["rules"][0]["stage"] = chance.choice(("live", "shadow"))
        elif kind == "list":
            body["entries"] = body["entries"][: chance.randrange(3)]
        elif kind == "approval_policy":
            body["lines"][0]["when"]["amounts"]["EUR"] = chance.choice((200, 900, 4_000))
            body["lines"][0]["needs"][0]["count"] = chance.choice((1, 2))
        shelf = self.book(book).documents.get(f"{kind}/{name}")
        from_ms = self.now + chance.randrange(1, 40) * HOUR_MS if chance.random() < 0.4 else None
        version = 1 if shelf is None else shelf.latest + 1
        fields = {"kind": kind, "document": name, "version": version, "body": body}
        return fields if from_ms is None else {**fields, "effective_from_ms": from_ms}

    def _on_case(self, book: str, fields: dict[str, Any]) -> str | None:
        """What a case worker would say: about a case that there is, of what it concerns, as who has it."""
        cases = self.book(book).cases.by_id
        if not cases:
            return None
        if "case" in fields:
            apt = [name for name, one in cases.items() if "proposal" in fields and one.proposed]
            apt = apt or [name for name, one in cases.items() if one.status == "in_progress"] * 2
            fields["case"] = self.chance.choice([*list(cases)[-8:], *apt])
        case = cases.get(fields.get("case", ""))
        if case is None:
            return None
        if "acts" in fields:
            concerned = {"block_account": case.accounts, "block_party": case.parties, "file_report": ("",)}
            concerned |= {"release": case.payments, "decline": case.payments}
            able = [(action, of) for action, them in concerned.items() for of in them]
            fields["acts"] = [{"action": action, "of": of} for action, of in self.chance.sample(able, 1)]
        if "proposal" in fields and case.proposed is not None:
            fields["proposal"] = case.proposed.seq
            return self.chance.choice(PEOPLE)
        if "draft" in fields and case.report is not None:
            fields["draft"] = max(1, case.report.draft)
            return self.chance.choice(PEOPLE)
        if "item" in fields:
            fields["item"] = self.chance.choice(("call", "ask"))
        return case.assignee or None

    def _actor(self, kind: type[Command]) -> str:
        if kind.__name__.startswith("Report"):
            return "gate"
        return self.chance.choice(("vera", "otto", "root") if kind is Approve else ("root", *PEOPLE))

    def _value(self, book: str, name: str, kind: inspect.Type) -> Any:
        chance = self.chance
        if isinstance(kind, inspect.Metadata):
            return self._value(book, name, kind.type)
        if isinstance(kind, inspect.UnionType):
            return self._value(book, name, chance.choice(kind.types))
        if isinstance(kind, inspect.NoneType):
            return None
        if isinstance(kind, inspect.LiteralType):
            return chance.choice(kind.values)
        if isinstance(kind, inspect.BoolType):
            return chance.random() < 0.5
        if isinstance(kind, inspect.DateType):
            return str(self.book(book).business_date + datetime.timedelta(chance.randrange(-2, 3)))
        if isinstance(kind, inspect.VarTupleType):
            return [self._value(book, name, kind.item_type) for _ in range(chance.randrange(1, 3))]
        if isinstance(kind, inspect.DictType):
            return {}
        if isinstance(kind, inspect.StructType):
            tag = {} if kind.tag_field is None else {kind.tag_field: kind.tag}
            return tag | {
                field.name: self._value(book, field.name, field.type)
                for field in kind.fields
                if field.required or chance.random() < 0.3
            }
        if isinstance(kind, inspect.IntType):
            return self._number(book, name, kind)
        assert isinstance(kind, inspect.StrType), f"nothing is drawn for {kind}"
        return self._text(book, name, kind)

    def _number(self, book: str, name: str, kind: inspect.IntType) -> int:
        chance = self.chance
        least = kind.ge if kind.ge is not None else (kind.gt or 0) + 1 if kind.gt is not None else -500
        seqs = list(self.book(book).approvals.waiting) if name == "approval" else self.seqs[book, name]
        if name.endswith("_ms"):
            return self.now + chance.randrange(1, 100) * HOUR_MS if least < BEGAN_MS else least
        if seqs and chance.random() < 0.95:
            return chance.choice(seqs[-8:])
        most = kind.le if kind.le is not None else 5_000
        return min(most, max(least, chance.choice((1, 5, 30, 250, 900, 900, 4_000))))

    def _text(self, book: str, name: str, kind: inspect.StrType) -> str:
        chance = self.chance
        accounts = self.book(book).accounts
        name = {"parties": "party", "accounts": "account", "payments": "payment", "into": "case"}.get(
            name, name
        )
        if name in {"account", "debit", "credit", "to_account", "from_account"}:
            usual = [
                one for one, each in accounts.items() if (each.kind, each.currency) == ("customer", "EUR")
            ]
            return chance.choice(usual * 9 + list(accounts) + ["nowhere"])
        if name == "currency":
            return chance.choice(("EUR",) * 19 + ("USD",))
        if name in {"to", "people"}:
            return chance.choice((*PEOPLE, "gate"))
        if name == "to_book":
            return "side" if book == "main" else "main"
        if name in {"rail", "kind"}:
            return "sepa"
        if name in {"nostro", "calendar"}:
            return {"nostro": "nostro", "calendar": "target"}[name]
        if name == "product":
            return chance.choice(("giro", ""))
        if name in {"party", "holder", "of"}:
            return chance.choice((*self.book(book).parties, *accounts))
        if name == "limits":
            return "retail"
        if name == "line":
            return chance.choice(("daily", "few", "each"))
        known = list(self.book(book).holds) if name == "hold" else self.known[book, name]
        is_new = kind.pattern is not None and kind.pattern.startswith(NEW_ID)
        if known and chance.random() < (0.1 if is_new else 0.9):
            return str(chance.choice(known[-6:]))
        if name in {"digest", "evidence"}:
            return f"{chance.randrange(9):064x}"
        if kind.pattern is not None and not is_new:
            return {"country": "DE", "agent": "BYLADEM1001", "item": "call"}.get(name, "")
        return f"{name[:20]}-{self.told}"


def totals(instructions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a sender of these instructions would count."""
    found: dict[str, list[int]] = {}
    for one in instructions:
        found.setdefault(one["currency"], []).append(one["amount"])
    return [{"currency": key, "count": len(of), "amount": sum(of)} for key, of in found.items()]

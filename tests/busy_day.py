"""A bank's traffic for detection: a story told with chance, dense enough that every typology has its say.

It is no measure of anything: amounts and names are few, so that patterns come about by themselves.
"""

from __future__ import annotations

import datetime
import random
from functools import cache
from pathlib import Path

from engine.links import FIRST_LINK, linked
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out
from gateway.document_files import read_drafts
from schemas.accounts import AccountOpened
from schemas.books import DEFAULT_CHART, Administrator, BookOpened, BusinessDateRolled
from schemas.catalogue import encode
from schemas.message import Event
from schemas.parties import PartyProfileChanged, PartyRegistered
from schemas.payments import Payee, PaymentDispatched, PaymentSubmitted
from schemas.payments_in import Payer, ReceiptCredited
from schemas.postings import Posting
from schemas.publishing import DocumentPublished
from schemas.risk import Assessment, Origin, RiskAssessed, RuleHit
from schemas.transfers import TransferPosted, TransferReversed

BEGAN_MS = 1_715_767_200_000
TODAY = datetime.date(2024, 5, 15)
DAY_MS = 86_400_000
ROOT = Path(__file__).parent.parent
COUNTRIES = ("DE", "FR", "KP", "")


class Traffic:
    """Events of one book, as an engine would have written them, as far as detection reads them."""

    def __init__(self, seed: int, parties: int, book: str = "main") -> None:
        self.chance = random.Random(seed)
        self.book = book
        self.accounts = [f"{book}-a{number}" for number in range(parties)]
        self.events: list[Event] = []
        self.at = BEGAN_MS
        self.day = TODAY
        self.quiet = f"{book}-a{parties}"
        self.balances = dict.fromkeys([*self.accounts, self.quiet, "nostro"], 0)
        self.posted: list[TransferPosted] = []
        self._open()

    def say(self, event: Event) -> Event:
        """Give the event its envelope."""
        event = type(event)(
            **{
                **{name: getattr(event, name) for name in event.__struct_fields__},
                "seq": len(self.events) + 1,
                "book": self.book,
                "at": self.at,
            }
        )
        self.events.append(event)
        return event

    def _open(self) -> None:
        self.say(
            BookOpened(
                name="Main",
                currency="EUR",
                administrators=(Administrator(person="ruth", user="root"),),
                time_zone="Europe/Berlin",
                clock="commanded",
                chart=DEFAULT_CHART,
                repeat_window_ms=DAY_MS,
                repeat_cap=1_000,
                reversible_days=90,
                business_date=TODAY,
                open_from=TODAY,
                midnight_ms=BEGAN_MS + DAY_MS,
            )
        )
        (draft,) = read_drafts(ROOT / "examples" / "typologies.yaml")
        self.say(
            DocumentPublished(
                kind="typologies",
                document="watch",
                version=3,
                body=draft.body,
                digest="",
                effective_from_ms=self.at,
            )
        )
        for number, account in enumerate([*self.accounts, self.quiet]):
            self.say(
                PartyRegistered(
                    party=f"p{number}",
                    kind="person",
                    name="",
                    country=COUNTRIES[number % 4],
                    born_on=None,
                    number="",
                    segment="",
                    branch="",
                    status="active",
                )
            )
            self.say(
                AccountOpened(
                    account=account,
                    currency="EUR",
                    party=f"p{number}",
                    kind="customer",
                    product="",
                    branch="",
                    ledger="",
                    overdraft=0,
                )
            )

    def run(self, count: int, most_apart_ms: int = 3_600_000) -> None:
        """So many movements more."""
        for _ in range(count):
            self.at += self.chance.randrange(most_apart_ms)
            day = TODAY + datetime.timedelta((self.at - BEGAN_MS) // DAY_MS)
            if day != self.day:
                self.day = day
                self.say(BusinessDateRolled(business_date=day, midnight_ms=self.at + DAY_MS))
            drawn = self.chance.random()
            if drawn < 0.70:
                self._transfer()
            elif drawn < 0.82:
                self._pay()
            elif drawn < 0.93:
                self._receive()
            elif drawn < 0.95:
                self._reverse()
            elif drawn < 0.97:
                self._assess()
            elif drawn < 0.98:
                self._change(self.chance.randrange(len(self.accounts)))
            elif drawn < 0.995:
                self._pass_on()
            else:
                self.at += self.chance.randrange(20) * DAY_MS

    def wake(self) -> None:
        """Half a year later the account that nobody has used is used."""
        self.at += 200 * DAY_MS
        self._transfer("nostro", self.quiet, 900_000)

    def _amount(self) -> int:
        return self.chance.choice((90_000, 90_100, 450_000, 900_000, self.chance.randrange(100, 2_000_000)))

    def _post(self, debit: str, credit: str, amount: int) -> tuple[Posting, ...]:
        self.balances[debit] -= amount
        self.balances[credit] += amount
        return (
            Posting(debit, -amount, "EUR", self.balances[debit]),
            Posting(credit, amount, "EUR", self.balances[credit]),
        )

    def _pass_on(self) -> None:
        """An account is emptied, filled, and emptied again within the hour; its profile changed before."""
        account = self.chance.choice(self.accounts)
        if (left := self.balances[account]) > 0:
            self._transfer(account, "nostro", left)
        self._transfer("nostro", account, 500_000)
        self._change(int(account.rpartition("a")[2]))
        for share in (300_000, 190_000):
            self.at += 600_000
            self._transfer(account, self.chance.choice(self.accounts), share)

    def _transfer(self, debit: str = "", credit: str = "", amount: int = 0) -> None:
        few = self.accounts[:12] if self.chance.random() < 0.5 else self.accounts
        debit = debit or self.chance.choice((*few, "nostro"))
        credit = credit or self.chance.choice(few)
        if debit == credit:
            return
        amount = amount or (90_000 if debit == self.accounts[1] else self._amount())
        event = self.say(
            TransferPosted(
                debit=debit,
                credit=credit,
                amount=amount,
                currency="EUR",
                booking_date=self.day,
                value_date=self.day,
                reference="",
                postings=self._post(debit, credit, amount),
                channel=self.chance.choice(("mobile", "branch", "atm")),
                origin=Origin(device=f"d{self.chance.randrange(9)}"),
            )
        )
        assert isinstance(event, TransferPosted)
        self.posted.append(event)

    def _reverse(self) -> None:
        if self.posted:
            that = self.posted.pop(self.chance.randrange(len(self.posted)))
            self.say(
                TransferReversed(
                    transfer=that.seq,
                    booking_date=self.day,
                    value_date=self.day,
                    reason="",
                    postings=self._post(that.credit, that.debit, that.amount)[::-1],
                )
            )

    def _pay(self) -> None:
        account, amount, payment = self.chance.choice(self.accounts), self._amount(), f"p{len(self.events)}"
        payee = Payee(
            name="",
            account=f"DE{self.chance.randrange(40)}",
            country=self.chance.choice(COUNTRIES),
        )
        self.say(
            PaymentSubmitted(
                payment=payment,
                account=account,
                amount=amount,
                currency="EUR",
                rail="sepa",
                payee=payee,
                purpose="",
                reference="",
                end_to_end="",
                channel="mobile",
                execution_date=self.day,
                screening="cleared",
                reserves=(),
                uses=(),
                fees=(),
                origin=None,
            )
        )
        self.say(
            PaymentDispatched(
                payment=payment,
                rail="sepa",
                account=account,
                amount=amount,
                currency="EUR",
                payee=payee,
                purpose="",
                reference="",
                end_to_end="",
                nostro="nostro",
                in_transit="nostro",
                suspense="nostro",
                answer_by_ms=self.at,
                booking_date=self.day,
                value_date=self.day,
                postings=self._post(account, "nostro", amount),
                reserves=(),
                uses=(),
                fees=(),
                expected=(),
            )
        )

    def _receive(self) -> None:
        account, amount = self.chance.choice(self.accounts), self._amount()
        self.say(
            ReceiptCredited(
                receipt=f"r{len(self.events)}",
                rail="sepa",
                nostro="nostro",
                account=account,
                amount=amount,
                currency="EUR",
                payer=Payer(name="", account=f"FR{self.chance.randrange(40)}", country="FR"),
                reference="",
                end_to_end="",
                booking_date=self.day,
                value_date=self.day,
                postings=self._post("nostro", account, amount),
                fees=(),
                uses=(),
                expected=(),
            )
        )

    def _assess(self) -> None:
        self._transfer("nostro", self.accounts[0])
        self.say(
            RiskAssessed(
                movement="",
                of=len(self.events),
                account=self.accounts[0],
                party="p0",
                amount=5,
                currency="EUR",
                verdict="review",
                assessments=(
                    Assessment("fraud", 2, "live", 700, "review", (RuleHit("fraud/new", 700, False, True),)),
                    Assessment("trial", 1, "shadow", 900, "decline"),
                    Assessment("quiet", 1, "live", 10, "approve"),
                ),
            )
        )

    def _change(self, number: int) -> None:
        self.say(
            PartyProfileChanged(
                party=f"p{number}", name="", country="DE", born_on=None, number="", segment="", branch=""
            )
        )


def stored(*traffic: Traffic, page: int = 25, control_records: bool = False) -> MemoryLog:
    """The events of some books in one log, mixed by time, in pages."""
    log = MemoryLog(control_records=control_records)
    events = sorted((event for one in traffic for event in one.events), key=lambda event: event.at)
    link = FIRST_LINK
    for start in range(0, len(events), page):
        outs = [Out(event.book.encode(), encode(event)) for event in events[start : start + page]]
        link = linked(link, outs)
        log.commit(outs, BEFORE_FIRST, events[start].at)
    return log


@cache
def busy(seed: int, movements: int = 4_000, parties: int = 60, book: str = "main") -> Traffic:
    """Made once for all tests that only read it."""
    made = Traffic(seed, parties, book)
    made.run(movements)
    made.wake()
    return made

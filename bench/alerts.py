"""`alerts`: detection over a month of a bank's transfers, and how soon an alert follows its payment.

`alerts/typology` is the detector with one typology in force, `alerts/all` with all of the example document,
`alerts/none` with no document: decoding, flows and the directory. 10,000 customers make two movements a day
each: one in twenty is of 2,000.00 to 12,000.00, the rest are as payments are (a median of 30.00, log-normal).
`alerts/dense` is `alerts/all` where each is as large as that one in twenty, so that nearly every typology has
work with every movement. All are in seconds of the processor, not of the clock.

`alerts/kafka` has an engine decide transfers at half the rate that it manages, each of them a pattern by
itself, and measures from the append of the event to the append of its alert, both by this machine's clock.
"""

from __future__ import annotations

import datetime
import gc
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import book
from bench.measure import Contender, Sample, Size
from detection.detector import Detector
from detection.table import TYPOLOGIES
from engine.derivation import AT_ONCE
from engine.links import FIRST_LINK, linked
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST, Out, Record
from gateway.document_files import read_drafts
from schemas.accounts import AccountOpened
from schemas.books import BusinessDateRolled
from schemas.catalogue import decode_event, encode
from schemas.message import Event
from schemas.postings import Posting
from schemas.publishing import DocumentPublished
from schemas.transfers import TransferPosted

NAME: Final = "alerts"
OPENED_MS: Final = 40 * 86_400_000
"""How long ago the accounts were opened."""
APART_MS: Final = 4_320
"""20,000 movements a day."""
DAY_MS: Final = 86_400_000
PAGE: Final = 1_000
EXAMPLE: Final = Path(__file__).parent.parent / "examples" / "typologies.yaml"
NAMES: Final = (f"{NAME}/none", *(f"{NAME}/{name}" for name in TYPOLOGIES), f"{NAME}/all", f"{NAME}/dense")


class Month:
    """Events as an engine would have written them, each customer with an account. dense: see above."""

    def __init__(self, movements: int, *, dense: bool = False) -> None:
        founded = MemoryLog()
        book.founded(founded)
        self._dense = dense
        self.before: list[Event] = []
        for record in founded.events(BEFORE_FIRST):
            event = decode_event(record.value)
            if event.book != book.BOOK:
                continue
            if isinstance(event, AccountOpened) and event.party:
                event = msgspec.structs.replace(event, party=f"party of {event.account}")
            self.before.append(event)
        self.key = book.BOOK.encode()
        self.began_ms = self.before[-1].at + OPENED_MS
        self.transfers = self._transfers(movements)

    def _transfers(self, movements: int) -> list[bytes]:
        chance = random.Random(1)
        at = self.began_ms
        first = self.before[-1].seq + 2
        day = datetime.date(2026, 3, 2)
        balances = [book.OPENING_MINOR] * book.ACCOUNTS
        found: list[bytes] = []
        for number in range(movements):
            at += APART_MS
            if number % (DAY_MS // APART_MS) == 0:
                day += datetime.timedelta(1)
                found.append(
                    encode(
                        BusinessDateRolled(
                            business_date=day, midnight_ms=at, seq=first + len(found), book=book.BOOK, at=at
                        )
                    )
                )
            payer, payee = chance.sample(range(book.ACCOUNTS), 2)
            large = self._dense or number % 20 == 0
            amount = (
                chance.randrange(200_000, 1_200_000) if large else int(chance.lognormvariate(8.0, 1.5)) + 1
            )
            balances[payer] -= amount
            balances[payee] += amount
            debit, credit = book.account_id(payer), book.account_id(payee)
            found.append(
                encode(
                    TransferPosted(
                        debit=debit,
                        credit=credit,
                        amount=amount,
                        currency=book.CURRENCY,
                        booking_date=day,
                        value_date=day,
                        reference="invoice 4711",
                        postings=(
                            Posting(debit, -amount, book.CURRENCY, balances[payer]),
                            Posting(credit, amount, book.CURRENCY, balances[payee]),
                        ),
                        channel="mobile",
                        seq=first + len(found),
                        book=book.BOOK,
                        at=at,
                        cause=number,
                        command=f"c{number:08d}",
                        actor=book.UPSTREAM,
                        issued_at_ms=at,
                        fingerprint="0123456789abcdef",
                    )
                )
            )
        return found

    def records(self, sets: dict[str, Any]) -> list[Record]:
        """The whole log, with these typologies in force."""
        said = [encode(event) for event in self.before]
        document = DocumentPublished(
            kind="typologies",
            document="watch",
            version=1,
            body=sets,
            digest="",
            effective_from_ms=self.began_ms,
            seq=self.before[-1].seq + 1,
            book=book.BOOK,
            at=self.began_ms,
        )
        return paged([*said, encode(document), *self.transfers], self.key)


def paged(values: Sequence[bytes], key: bytes) -> list[Record]:
    """As a log has them."""
    log, link = MemoryLog(), FIRST_LINK
    for start in range(0, len(values), PAGE):
        outs = [Out(key, value) for value in values[start : start + PAGE]]
        link = linked(link, outs)
        log.commit(outs, BEFORE_FIRST, 0)
    return list(log.events(BEFORE_FIRST))


def sets_of(*names: str) -> dict[str, Any]:
    """The sets of the example with these names."""
    (draft,) = read_drafts(EXAMPLE)
    body: dict[str, Any] = msgspec.to_builtins(draft.document)
    return {name: one for name, one in body.items() if name in names and one is not None}


def derived(records: Sequence[Record], first: int) -> Sample:
    """All of them; what is in front of `first` is not counted."""
    detector = Detector(_Nowhere())
    detector.derive(records[:first])
    gc.collect()
    gc.freeze()
    gc.disable()
    began = time.process_time()
    for start in range(first, len(records), AT_ONCE):
        detector.derive(records[start : start + AT_ONCE])
        gc.collect(0)
    took = time.process_time() - began
    gc.enable()
    gc.unfreeze()
    return Sample(len(records) - first, took)


class _Nowhere:
    def events(self, after: int) -> Any:
        return iter(())


def contenders(size: Size, asked: set[str]) -> list[Contender]:
    """Those that are asked for; `alerts` is all of them."""
    found = []
    month: Month | None = None
    for name in NAMES:
        if NAME not in asked and name not in asked:
            continue
        what = name.partition("/")[2]
        names = () if what == "none" else (what,) if what in TYPOLOGIES else tuple(TYPOLOGIES)
        if month is None or what == "dense":
            month = Month(size.events, dense=what == "dense")
        records = month.records(sets_of(*names))
        turn: Callable[[], Sample] = _turn(records, len(month.before) + 1)
        found.append(Contender(name, turn, against=(f"{NAME}/none",) if what != "none" else ()))
    return found


def _turn(records: Sequence[Record], first: int) -> Callable[[], Sample]:
    return lambda: derived(records, first)

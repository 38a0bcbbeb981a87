"""What a case rests on, gathered from the log alone: its own events, those that its alerts name as evidence,
those of its payments, and what the accounts held when each alert was complete.

Everything is as it was known after the case's newest event, so whoever gathers it again later, from any copy
of the log, gets the same. Each event stands with its place in the log and the link of its page, by which it
is proven. Nothing here may come from a read model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import msgspec

from book.evolve import evolve
from book.state import SYSTEM_BOOK, Book, Partition
from engine.links import link_of
from engine.log.records import BEFORE_FIRST, Record
from replay.answers import History
from replay.as_of import NotKnown
from schemas.alerts import Alert
from schemas.case_work import CaseAttached
from schemas.catalogue import decode_event
from schemas.message import Event
from schemas.risk import RiskAssessed

Because = Literal["case", "outcome", "evidence", "payment"]
"""case: it is about the case.   outcome: it belongs to the same outcome as one that is.   evidence: an alert
names it, or what the rules made of it.   payment: it is about a payment of the case.
"""


class Logs(Protocol):
    """Where the books' logs are; `engine.site.Site` is one."""

    def partition_of(self, book: str, /) -> int:
        """The partition that the book is on."""
        ...

    def read(self, partition: int, /) -> AbstractContextManager[History]:
        """A reader of it."""
        ...


class Proven(msgspec.Struct, frozen=True):
    """An event's place in the log. offset: its own.   page: offset of the last event of its page.

    link: of that page, hex: SHA-256 over all history of the partition up to there, see `engine/links.py`.
    sha256: of the event's bytes, hex.   because: why it is here, the first reason that applies.
    """

    book: str
    seq: int
    partition: int
    epoch_id: str
    offset: int
    page: int
    link: str
    sha256: str
    because: Because


class BalanceThen(msgspec.Struct, frozen=True):
    """An account when an alert was complete: after the event `seq` of its book. Minor units."""

    alert: str
    seq: int
    account: str
    party: str
    currency: str
    booked: int
    held: int
    available: int


class Paper(msgspec.Struct, frozen=True):
    """A paper of the case, as the log names it. digest: SHA-256 of its bytes, hex."""

    digest: str
    size: int
    media_type: str
    name: str


class Evidence(msgspec.Struct, frozen=True):
    """What a case rests on. through: seq of its newest event.   at_ms: book time of that.

    history: the case's own events.   alerts: all that joined it, in the order in which they did.
    payments: those that it concerns, by id.   events: the bytes of all events, as stored, by book and seq;
    `proof` has a row for each, in the same order.   missing: what alerts name and the logs do not hold.
    """

    book: str
    case: str
    through: int
    at_ms: int
    history: list[Event]
    alerts: list[Alert]
    payments: list[str]
    events: list[bytes]
    proof: list[Proven]
    balances: list[BalanceThen]
    papers: list[Paper]
    missing: list[tuple[str, int]]


def gather(logs: Logs, book: str, case: str, *, through: int | None = None) -> Evidence:
    """What the case rests on. through: seq up to which events count; else all. Raises NotKnown."""
    with logs.read(logs.partition_of(book)) as log:
        history = list(_about(log, book, case, through))
    if not history:
        raise NotKnown(f"The log holds no case {case} of the book {book}.", "See `daybook cases queue`.")
    newest = history[-1]
    alerts = list(_alerts(history))
    payments = sorted(_payments(history) | {one.movement for one in alerts if one.movement})
    wanted = {(seen.book, seen.seq) for one in alerts for seen in one.evidence}
    elsewhere = {one for one in wanted if one[0] != book}
    found: dict[tuple[str, int], tuple[bytes, Proven]] = {}
    with logs.read(logs.partition_of(book)) as log:
        reading = _Reading(logs.partition_of(book), found)
        reading.seqs = {book: {seq for name, seq in wanted if name == book}}
        reading.payments = frozenset(payments)
        reading.outcomes = frozenset(one.cause for one in history if one.cause >= 0)
        reading.history = frozenset(one.seq for one in history)
        reading.moments = _moments(alerts, history, book)
        reading.run(log, book, newest.seq)
    for partition in sorted({logs.partition_of(name) for name, _ in elsewhere}):
        with logs.read(partition) as log:
            other = _Reading(partition, found)
            for name, seq in elsewhere:
                if logs.partition_of(name) == partition:
                    other.seqs.setdefault(name, set()).add(seq)
            other.run(log, "", None)
    order = sorted(found, key=lambda one: (one[0] != book, *one))
    return Evidence(
        book=book,
        case=case,
        through=newest.seq,
        at_ms=newest.at,
        history=history,
        alerts=alerts,
        payments=payments,
        events=[found[one][0] for one in order],
        proof=[found[one][1] for one in order],
        balances=reading.balances,
        papers=[
            Paper(one.digest, one.size, one.media_type, one.name)
            for one in history
            if isinstance(one, CaseAttached) and one.case == case
        ],
        missing=sorted(wanted - found.keys()),
    )


def _about(log: History, book: str, case: str, through: int | None) -> Iterator[Event]:
    """The events about a case, in order. Nearly all others are passed over without being decoded."""
    key, name = book.encode(), msgspec.json.encode(case)
    for record in log.events(BEFORE_FIRST):
        if record.key != key or name not in record.value:
            continue
        event = decode_event(record.value)
        if through is not None and event.seq > through:
            return
        about = (getattr(event, "case", None), getattr(event, "into", None), *getattr(event, "cases", ()))
        if case in about:
            yield event


def _alerts(history: Iterable[Event]) -> Iterator[Alert]:
    known = set()
    for event in history:
        for one in getattr(event, "alerts", ()):
            if isinstance(one, Alert) and one.id not in known:
                known.add(one.id)
                yield one


def _payments(history: Iterable[Event]) -> set[str]:
    return {one for event in history for one in getattr(event, "payments", ()) if isinstance(one, str)}


def _moments(alerts: Iterable[Alert], history: Iterable[Event], book: str) -> dict[int, list[Alert]]:
    """After which event of the book each alert was complete; where it names none, when the case got it."""
    joined = {
        one.id: event.seq
        for event in history
        for one in getattr(event, "alerts", ())
        if isinstance(one, Alert)
    }
    moments: dict[int, list[Alert]] = {}
    for alert in alerts:
        own = [seen.seq for seen in alert.evidence if seen.book == book]
        moments.setdefault(max(own, default=joined[alert.id]), []).append(alert)
    return moments


class _Reading:
    """One pass over a partition, which keeps the events that are wanted, each with its place."""

    def __init__(self, partition: int, found: dict[tuple[str, int], tuple[bytes, Proven]]) -> None:
        self.partition = partition
        self.found = found
        self.seqs: dict[str, set[int]] = {}
        self.payments: frozenset[str] = frozenset()
        self.outcomes: frozenset[int] = frozenset()
        self.history: frozenset[int] = frozenset()
        self.moments: dict[int, list[Alert]] = {}
        self.balances: list[BalanceThen] = []
        self._state = Partition()
        self._page: list[tuple[Record, Event, Because]] = []

    def run(self, log: History, folded: str, through: int | None) -> None:
        """Read through the event `through` of the book `folded`, and on to the end of its page."""
        keys = {one.encode() for one in (folded, *self.seqs)}
        over = False
        for record in log.events(BEFORE_FIRST):
            key = record.key
            if not over and key in keys:
                event = decode_event(record.value)
                if event.book == folded:
                    self._folded(event)
                    over = event.seq == through
                because = self._because(event, folded)
                if because is not None:
                    self._page.append((record, event, because))
            elif key.startswith(b"~"):
                event = decode_event(record.value)
                if event.book == SYSTEM_BOOK:
                    evolve(self._state, event)
            if record.headers and (link := link_of(record.headers)) is not None:
                self._end_page(record, link)
                if over:
                    return

    def _because(self, event: Event, folded: str) -> Because | None:
        if event.book == folded:
            if event.seq in self.history:
                return "case"
            if event.cause in self.outcomes:
                return "outcome"
        seqs = self.seqs.get(event.book, ())
        if event.seq in seqs or (isinstance(event, RiskAssessed) and event.of in seqs):
            return "evidence"
        about: Any = getattr(event, "payment", None) or getattr(event, "movement", None)
        return "payment" if event.book == folded and about in self.payments else None

    def _folded(self, event: Event) -> None:
        evolve(self._state, event)
        for alert in self.moments.get(event.seq, ()):
            self.balances.extend(_balances(self._state.books[event.book], alert, event.seq))

    def _end_page(self, last: Record, link: bytes) -> None:
        epoch = self._state.epoch_id
        for record, event, because in self._page:
            self.found[event.book, event.seq] = (
                record.value,
                Proven(
                    book=event.book,
                    seq=event.seq,
                    partition=self.partition,
                    epoch_id=epoch,
                    offset=record.offset,
                    page=last.offset,
                    link=link.hex(),
                    sha256=hashlib.sha256(record.value).hexdigest(),
                    because=because,
                ),
            )
        self._page.clear()


def _balances(book: Book, alert: Alert, seq: int) -> Iterator[BalanceThen]:
    """The accounts of whom the alert is about."""
    for name, one in book.accounts.items():
        if name == alert.account or (alert.party and one.party == alert.party):
            yield BalanceThen(
                alert=alert.id,
                seq=seq,
                account=name,
                party=one.party,
                currency=one.currency,
                booked=one.booked,
                held=one.held,
                available=one.booked - one.held + one.overdraft,
            )

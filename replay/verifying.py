"""`verify` of one partition: every event is checked before it is applied, and what it left is checked after.

What is asked of the partitions together is in `replay/verify.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from book.digest import book_digest
from book.evolve import OPEN, evolve
from book.repeats import Seen, key_of
from book.state import Book, Partition
from engine.errors import LogCorrupt
from engine.links import link_of
from engine.log.records import BEFORE_FIRST, Record
from engine.receipts import Receipt
from replay.across import Across
from replay.answers import Answers, History
from replay.chain import Chain
from replay.crossings import CrossBook
from replay.ledger import MONEY, OTHERS, Ledger
from replay.problems import Problem, Problems
from replay.receipts import ReceiptEvent
from schemas.catalogue import COUNTING_EVENTS, RESERVING_EVENTS, USING_EVENTS, decode_event
from schemas.message import Event
from schemas.rejections import CommandRejected

Progress = Callable[[int], None]
"""Told, now and then, how many events have been checked."""


class BookVerified(msgspec.Struct, frozen=True):
    """One book at the end: its newest seq, how many accounts and parties it has, the digest of its state."""

    seq: int
    accounts: int
    parties: int
    digest: str


class Verification:
    """One partition, read from its first event to its last; what is wrong goes to `problems`."""

    def __init__(
        self,
        log: History,
        receipts: Iterable[Receipt],
        public_key: Ed25519PublicKey | None,
        problems: Problems,
        crossings: CrossBook | Across,
        may_wait: bool,
    ) -> None:
        self.problems = problems
        self.partition = Partition()
        self.ledgers: dict[bytes, Ledger] = {}
        self.chain = Chain(receipts, public_key, problems)
        self.answers = Answers(log, problems, may_wait=may_wait)
        self.crossings = crossings
        self.events = 0
        self.signed_events = 0
        self.offset = BEFORE_FIRST

    def read(self, log: History, progress: Progress) -> None:
        """Go through the log, page by page."""
        values: list[bytes] = []
        first = BEFORE_FIRST
        try:
            for record in log.events(BEFORE_FIRST):
                if not values:
                    first = record.offset
                if record.offset <= self.offset:
                    self.problems.add(Problem("the offset does not rise", offset=record.offset))
                self.offset = record.offset
                values.append(record.value)
                self._event(record)
                link = link_of(record.headers) if record.headers else None
                if link is not None:
                    self._page(values, first, record, link)
                    values = []
                    progress(self.events)
        except LogCorrupt as error:
            self.problems.add(
                Problem(f"the events behind this cannot be read: {error.what}", offset=self.offset)
            )
        else:
            if values:
                self.chain.unlinked(first, self.offset)

    def _page(self, values: list[bytes], first: int, last: Record, link: bytes) -> None:
        seqs = {ledger.book: ledger.seq for ledger in self.ledgers.values()}
        self.chain.page(values, first, last, link, self.partition.epoch_id, seqs)
        if self.chain.signed == last.offset:
            self.signed_events = self.events

    def _event(self, record: Record) -> None:
        """Check one event and apply it."""
        self.events += 1
        problems, partition = self.problems, self.partition
        ledger = self.ledgers.get(record.key)
        if ledger is None:
            ledger = self.ledgers[record.key] = Ledger(record.key.decode("utf-8", "replace"))
        problems.book, problems.offset = ledger.book, record.offset
        problems.seq = expected = ledger.seq + 1
        try:
            event: Event = decode_event(record.value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            problems.here(f"the event cannot be decoded ({error})")
            ledger.seq = expected
            return
        problems.seq = ledger.seq = event.seq
        before = problems.count
        if event.seq != expected:
            problems.here(f"seq {event.seq} stands where {expected} belongs")
        if event.book != ledger.book:
            problems.here(f"the event of book {event.book} stands under the key of book {ledger.book}")
        book = partition.books.get(event.book)
        self.answers.check(book, event)
        self.crossings.check(event, problems.here)
        if book is not None:
            self._before(book, event, ledger)
        try:
            evolve(partition, event)
        except Exception as error:  # noqa: BLE001 - whatever a damaged event does to evolve is a finding, not our end
            if problems.count == before:
                problems.here(f"the event cannot be applied ({type(error).__name__}: {error})")
            _apply_by_force(partition, event)
        if book is not None:
            self._after(book, event, ledger)

    def _before(self, book: Book, event: Event, ledger: Ledger) -> None:
        """What is asked of an event when it is not applied yet."""
        found, kind = self.problems.here, type(event)
        if event.at < book.at:
            found(f"its time {event.at} is before the book's, {book.at}")
        money = MONEY.get(kind)
        if money is not None:
            ledger.post(book, event, found)
            money(book, event, found)
        elif kind in OTHERS:
            OTHERS[kind](book, event, found)
        if isinstance(event, ReceiptEvent):
            ledger.items.check(book, event, found)
        if kind in RESERVING_EVENTS:
            ledger.reserve(book, event, found)
        if kind in USING_EVENTS:
            ledger.uses.use(book, event, found)
        if kind in COUNTING_EVENTS:
            ledger.uses.send(event, found)

    def _after(self, book: Book, event: Event, ledger: Ledger) -> None:
        """What is asked of the book when it was."""
        kind = type(event)
        if kind in MONEY:
            ledger.bounds(book, event, self.problems.here)
        if kind in RESERVING_EVENTS:
            ledger.covered(book, event, self.problems.here)
        if kind in USING_EVENTS:
            ledger.uses.applied(book, event, self.problems.here)

    def books(self) -> Iterator[tuple[str, BookVerified]]:
        """Every book as it is at the end; with what is to be asked of it then."""
        problems = self.problems
        for ledger in self.ledgers.values():
            book = self.partition.books.get(ledger.book)
            if book is None:
                problems.add(Problem("the book was never opened", ledger.book))
                continue
            for what in ledger.differences(book):
                problems.add(Problem(what, ledger.book))
            yield (
                ledger.book,
                BookVerified(book.seq, len(book.accounts), len(book.parties), book_digest(book)),
            )


def _apply_by_force(partition: Partition, event: Any) -> None:
    """Where `evolve` refused an event, take what it says of itself as it stands, so that the next one is not
    blamed for this one.
    """
    book: Book | None = partition.books.get(event.book)
    if event.cause >= 0:
        partition.position = event.cause
    if book is None or type(event) in OPEN:
        return
    book.seq, book.at = event.seq, event.at
    if type(event) in MONEY:
        for posting in event.postings:
            if posting.account in book.accounts:
                book.accounts[posting.account].booked = posting.balance
    if type(event) in RESERVING_EVENTS:
        for one in event.reserves:
            if one.account in book.accounts:
                book.accounts[one.account].held = one.held
    key = key_of(event.actor, event.command)
    if event.fingerprint and key not in book.repeats.seen:
        reason = event.reason if isinstance(event, CommandRejected) else ""
        book.repeats.remember(key, Seen(event.fingerprint, event.seq, reason), event.at, event.issued_at_ms)

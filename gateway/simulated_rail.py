"""A payment rail that is only simulated: it answers dispatches late, twice, out of order, or never.

A reactor (`engine/reactor.py`). What becomes of a payment is drawn from the seed and the payment's id, so
that sending it again changes nothing; how that is said is drawn for each event that it answers. Every
answer's id and time are derived from that event: a rail that lost its memory says the same again.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence

import msgspec

from book.payment import IN_TRANSIT
from book.state import Book
from schemas.message import Command, Event
from schemas.payments import PaymentDispatched, RecallRequested
from schemas.rail_reports import ReportPayment, ReportStatus
from schemas.repairs import PaymentQueried, PaymentResent


class Conduct(msgspec.Struct, frozen=True, kw_only=True):
    """How the rail behaves. Shares are of 1,000.

    least_ms, most_ms: between two answers.   fails, returns: what becomes of payments; a return is of a part
    as often as of the whole.   recalls: how many recalls it grants.
    silent, unknown: how often it does not answer, or does not know.   twice, disordered: how it is told.
    """

    least_ms: int = 1_000
    most_ms: int = 60_000
    fails: int = 50
    returns: int = 30
    recalls: int = 500
    silent: int = 20
    unknown: int = 10
    twice: int = 50
    disordered: int = 30


class Told(msgspec.Struct, frozen=True):
    """What the rail was told about a payment. first: nothing before.   recall: to bring it back."""

    book: str
    payment: str
    amount: int
    seq: int
    at_ms: int
    recall: bool
    first: bool


class SimulatedRail:
    """Answers for the rail `rail` in every book, as the system `adapter`."""

    def __init__(self, rail: str, adapter: str, conduct: Conduct | None = None, *, seed: int = 1) -> None:
        self.rail = rail
        self.adapter = adapter
        self.conduct = conduct or Conduct()
        self.seed = seed
        self._amounts: dict[tuple[str, str], int] = {}
        self._to_say: list[tuple[int, str, str, ReportPayment]] = []

    def owed(self, book: Book) -> Sequence[Command]:
        """What the rail was told and may not have answered."""
        for payment_id, one in book.payments.by_id.items():
            if one.rail != self.rail or not one.told_seq:
                continue
            self._amounts[book.id, payment_id] = one.amount
            recall = one.recall == "requested"
            if recall or one.status in IN_TRANSIT:
                first = not recall and one.attempt == 1 and not one.asked
                self._plan(Told(book.id, payment_id, one.amount, one.told_seq, one.told_at_ms, recall, first))
        return ()

    def react(self, event: Event) -> Sequence[Command]:
        """Remember what is to be said, and when; nothing is said at once."""
        match event:
            case PaymentDispatched(rail=self.rail):
                self._amounts[event.book, event.payment] = event.amount
                self._told(event, event.payment, first=True)
            case PaymentResent(rail=self.rail):
                self._told(event, event.payment)
            case PaymentQueried(rail=self.rail):
                self._told(event, event.payment)
            case RecallRequested(rail=self.rail):
                self._told(event, event.payment, recall=True)
            case _:
                pass
        return ()

    def due(self, now_ms: int) -> Sequence[Command]:
        """What is to be said by now, in the order in which it is."""
        said: list[Command] = []
        while self._to_say and self._to_say[0][0] <= now_ms:
            said.append(heapq.heappop(self._to_say)[-1])
        return said

    @property
    def next_ms(self) -> int | None:
        """When there is something to say next."""
        return self._to_say[0][0] if self._to_say else None

    def _told(self, event: Event, payment: str, *, first: bool = False, recall: bool = False) -> None:
        amount = self._amounts[event.book, payment]
        self._plan(Told(event.book, payment, amount, event.seq, event.at, recall, first))

    def _plan(self, told: Told) -> None:
        conduct, draw = self.conduct, self._lots(told.book, told.payment, told.seq)
        if draw.randrange(1_000) < conduct.silent:
            return
        answers = self._answers(told, draw)
        at_ms = told.at_ms
        times = []
        for _ in answers:
            at_ms += draw.randint(conduct.least_ms, conduct.most_ms)
            times.append(at_ms)
        if draw.randrange(1_000) < conduct.disordered:
            draw.shuffle(times)
        for number, ((status, amount, reference), due_ms) in enumerate(zip(answers, times, strict=True)):
            copies = 2 if draw.randrange(1_000) < conduct.twice else 1
            for copy in range(copies):
                report = ReportPayment(
                    id=f"rail-{told.seq}-{number}-{copy}",
                    book=told.book,
                    actor=self.adapter,
                    issued_at_ms=due_ms + copy,
                    payment=told.payment,
                    status=status,
                    amount=amount,
                    reason="as simulated",
                    rail_reference=reference,
                )
                heapq.heappush(self._to_say, (due_ms + copy, told.book, report.id, report))

    def _answers(self, told: Told, draw: random.Random) -> list[tuple[ReportStatus, int | None, str]]:
        """What is to be said, in the order in which it is true."""
        if not told.recall and draw.randrange(1_000) < self.conduct.unknown:
            return [("unknown", None, "")]
        fate = self._lots(told.book, told.payment)
        if fate.randrange(1_000) < self.conduct.fails:
            failed: list[tuple[ReportStatus, int | None, str]] = [("failed", None, "")]
            return [*failed, ("recall_refused", None, "")] if told.recall else failed
        answers: list[tuple[ReportStatus, int | None, str]] = [("settled", told.amount, "")]
        if told.first:
            answers.insert(0, ("accepted", None, ""))
        returns = fate.randrange(1_000) < self.conduct.returns
        part = fate.randint(1, told.amount) if fate.randrange(2) else told.amount
        if returns:
            answers.append(("returned", part, f"return-{told.payment}"[:64]))
        if told.recall:
            grants = not returns and fate.randrange(1_000) < self.conduct.recalls
            answers.append(
                ("recall_accepted", None, f"recall-{told.payment}"[:64])
                if grants
                else ("recall_refused", None, "")
            )
        return answers

    def _lots(self, *of: str | int) -> random.Random:
        return random.Random("\n".join(map(str, (self.seed, self.rail, *of))))  # noqa: S311 - seeded, to be the same again

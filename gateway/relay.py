"""The relay: brings what one book has recorded of a payment to the other book. It decides nothing.

    source                      destination
    CrossBookSent          ->   ReceiveFromBook
    CompleteCrossBook      <-   CrossBookReceived
    ReleaseCrossBook       <-   CrossBookRefused
    CrossBookCompleted,
    CrossBookReleased      ->   AcknowledgeCrossBook

Every arrow may be followed twice, late, or again after the relay has forgotten everything: a command's id is
derived from the event that it brings, and the books tell payments apart by their numbers, for ever. So where
an id is too old to be known, or a book's time is not that of the other, the same is asked under another id,
issued at the book's own time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, TypedDict

import msgspec

from book.crossings import Answered, Crossing
from book.state import Book
from engine.reactor import ASKED_AGAIN
from schemas.crossbook import (
    AcknowledgeCrossBook,
    CompleteCrossBook,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
    ReceiveFromBook,
    ReleaseCrossBook,
)
from schemas.message import Command, Event
from schemas.rejections import CommandRejected, CommandRepeated, Reason

RELAY: Final = "relay"
"""The system that it speaks as."""
AGAIN_MS: Final = 1_000
"""How long what was not decided waits before it is asked under another id; doubled with every time."""
LONGEST_MS: Final = 300_000

ANSWERS: frozenset[str] = frozenset(
    {"crossing_answered", "crossing_settled", "crossing_differs", "crossing_not_found"}
)
"""Rejections that are the books' own last word on a payment. `crossing_differs` and `crossing_not_found` say
that one of the logs was set back; the payment stays on its way for people to look at, and verify finds it."""

Answer = CompleteCrossBook | ReleaseCrossBook


class _Envelope(TypedDict):
    id: str
    book: str
    actor: str
    issued_at_ms: int


class _Open(msgspec.Struct):
    """A command without an outcome yet. times: under how many ids it was asked before."""

    command: Command
    times: int = 0


class _Again(msgspec.Struct):
    """A command that waits to be asked under its new id. since_ms: when the waiting was first noticed."""

    open: _Open
    since_ms: int = -1


class Relay:
    """A `Reactor` (engine/reactor.py) that speaks as the system `actor`."""

    def __init__(self, actor: str = RELAY) -> None:
        self._actor = actor
        self._open: dict[tuple[str, str], _Open] = {}
        self._again: list[_Again] = []

    def owed(self, book: Book) -> Sequence[Command]:
        """What is on its way has to be received; what was answered has to be settled."""
        owed: list[Command] = []
        for name, other in book.crossings.others.items():
            for number, crossing in other.on_the_way.items():
                owed.append(self._receive(book.id, name, number, crossing, crossing.at, crossing.seq))
            for number, one in other.answered.items():
                owed.append(
                    self._settle(book.id, name, number, one, one.at, one.seq, one.refused, one.figures)
                )
        return [self._asked(command) for command in owed]

    def react(self, event: Event) -> Sequence[Command]:
        """The next step of the payment that the event is about."""
        command = self._next(event)
        asked = self._open.get((event.book, event.command)) if event.actor == self._actor else None
        if asked is not None and not (isinstance(event, CommandRejected) and event.reason in ASKED_AGAIN):
            del self._open[event.book, event.command]
            command = command or self._answered(asked, event)
        return [] if command is None else [self._asked(command)]

    def due(self, now_ms: int) -> Sequence[Command]:
        """What has waited long enough to be asked under another id."""
        ready: list[Command] = []
        waiting: list[_Again] = []
        for one in self._again:
            if one.since_ms < 0:
                one.since_ms = now_ms
            waits_ms = min(AGAIN_MS << min(one.open.times, 10), LONGEST_MS)
            if one.since_ms <= now_ms < one.since_ms + waits_ms:
                waiting.append(one)
            else:
                ready.append(self._asked(one.open.command, one.open.times + 1))
        self._again = waiting
        return ready

    def _next(self, event: Event) -> Command | None:
        match event:
            case CrossBookSent():
                return self._receive(event.book, event.to_book, event.number, event, event.at, event.seq)
            case CrossBookReceived():
                return self._settle(
                    event.book, event.from_book, event.number, event, event.at, event.seq, None, {}
                )
            case CrossBookRefused():
                return self._settle(
                    event.book,
                    event.from_book,
                    event.number,
                    event,
                    event.at,
                    event.seq,
                    event.reason,
                    event.figures,
                )
            case CrossBookCompleted() | CrossBookReleased():
                return AcknowledgeCrossBook(
                    **self._envelope("forget", event.number, event.book, event.to_book, event.at),
                    from_book=event.book,
                    number=event.number,
                    settled_seq=event.seq,
                )
            case _:
                return None

    def _receive(
        self, source: str, to: str, number: int, sent: CrossBookSent | Crossing, at_ms: int, seq: int
    ) -> Command:
        return ReceiveFromBook(
            **self._envelope("receive", number, source, to, at_ms),
            transfer=sent.transfer,
            from_book=source,
            number=number,
            sent_seq=seq,
            account=sent.to_account,
            amount=sent.amount,
            currency=sent.currency,
            value_date=sent.value_date,
            reference=sent.reference,
        )

    def _settle(
        self,
        answering: str,
        to: str,
        number: int,
        answer: CrossBookReceived | CrossBookRefused | Answered,
        at_ms: int,
        seq: int,
        refused: Reason | None,
        figures: dict[str, int | str],
    ) -> Command:
        envelope = self._envelope("settle", number, answering, to, at_ms)
        if refused is None:
            return CompleteCrossBook(
                **envelope, transfer=answer.transfer, to_book=answering, number=number, answer_seq=seq
            )
        return ReleaseCrossBook(
            **envelope,
            transfer=answer.transfer,
            to_book=answering,
            number=number,
            answer_seq=seq,
            reason=refused,
            figures=figures,
        )

    def _answered(self, asked: _Open, event: Event) -> Command | None:
        """What an outcome calls for that is no event of a payment: a refusal, or the first outcome again."""
        if not isinstance(event, CommandRejected | CommandRepeated):
            return None
        command, reason = asked.command, event.reason
        if isinstance(command, Answer) and reason in {"", "crossing_settled"}:
            # It was settled before, and this relay does not know whether that was ever acknowledged.
            seq = event.first_seq if isinstance(event, CommandRepeated) and not reason else 0
            return AcknowledgeCrossBook(
                **self._envelope(
                    f"forget.{event.seq}", command.number, event.book, command.to_book, event.at
                ),
                from_book=event.book,
                number=command.number,
                settled_seq=seq,
            )
        if reason and reason not in ANSWERS:
            base = command.id.partition(":")[0]
            other = msgspec.structs.replace(command, id=f"{base}:{event.seq}", issued_at_ms=event.at)
            self._again.append(_Again(_Open(other, asked.times)))
        return None

    def _asked(self, command: Command, times: int = 0) -> Command:
        self._open[command.book, command.id] = _Open(command, times)
        return command

    def _envelope(self, step: str, number: int, said_by: str, to: str, at_ms: int) -> _Envelope:
        """The id tells the step, the payment's number and the book whose record it brings."""
        digest = hashlib.blake2b(said_by.encode(), digest_size=6).hexdigest()
        return {
            "id": f"{step}-{number}-{digest}",
            "book": to,
            "actor": self._actor,
            "issued_at_ms": at_ms,
        }

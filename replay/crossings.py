"""Payments between books of one log: what the two sides have recorded of each must be the same.

A book decides on what the relay told it of the other. Here both are read, so a relay that said what was not
is found: nothing is credited that was not sent, nothing released that was credited, nothing done twice, and
the inter-book accounts of two books mirror each other but for what is on its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator

import msgspec

from replay.ledger import Found
from replay.problems import Problem
from schemas.crossbook import (
    EVENTS,
    CrossBookAcknowledged,
    CrossBookCompleted,
    CrossBookReceived,
    CrossBookRefused,
    CrossBookReleased,
    CrossBookSent,
)
from schemas.message import Event

_CROSSINGS: frozenset[type[Event]] = frozenset(EVENTS)


class _Crossing(msgspec.Struct):
    """A payment as far as it is known. Everything but `sent` is the seq of an event, 0 for none."""

    sent: CrossBookSent
    received: int = 0
    refused: int = 0
    completed: int = 0
    released: int = 0


class CrossBook:
    """Told of every event of the log, in order. A payment is dropped when both its books have done with it.

    books: those in this log; what others have recorded stands in theirs.
    """

    def __init__(self, books: Container[str]) -> None:
        self._books = books
        self._known: dict[tuple[str, str, int], _Crossing] = {}
        self._newest: Counter[tuple[str, str]] = Counter()
        self._positions: Counter[tuple[str, str, str]] = Counter()

    def check(self, event: Event, found: Found) -> None:
        """Compare the event with what the other book has recorded before."""
        if type(event) not in _CROSSINGS:  # nearly all, for which a look-up is quicker than six questions
            return
        match event:
            case CrossBookSent():
                self._sent(event, found)
            case CrossBookReceived():
                self._received(event, found)
            case CrossBookRefused():
                self._refused(event, found)
            case CrossBookCompleted():
                self._completed(event, found)
            case CrossBookReleased():
                self._released(event, found)
            case CrossBookAcknowledged():
                self._acknowledged(event, found)
            case _:
                pass

    def differences(self) -> Iterator[Problem]:
        """At the end: where the inter-book accounts of two books do not mirror each other."""
        owed: Counter[tuple[str, str, str]] = Counter()
        for (source, to, _), crossing in self._known.items():
            if crossing.received and not crossing.completed:
                owed[_pair(source, to, crossing.sent.currency)] -= crossing.sent.amount
        for key in sorted({*self._positions, *owed}):
            one, other, currency = key
            if one in self._books and other in self._books and self._positions[key] != owed[key]:
                yield Problem(
                    f"payments between {one} and {other} leave {self._positions[key]} {currency} on their "
                    f"inter-book accounts together, and {owed[key]} is credited and not yet paid"
                )

    def _sent(self, event: CrossBookSent, found: Found) -> None:
        pair = event.book, event.to_book
        if event.number != self._newest[pair] + 1:
            found(f"it is number {event.number} to {event.to_book}, and {self._newest[pair]} came before")
        self._newest[pair] = event.number
        self._known[event.book, event.to_book, event.number] = _Crossing(event)

    def _received(self, event: CrossBookReceived, found: Found) -> None:
        crossing = self._answer(event, found)
        if crossing is not None:
            crossing.received = event.seq
        self._positions[_pair(event.from_book, event.book, event.currency)] -= event.amount

    def _refused(self, event: CrossBookRefused, found: Found) -> None:
        crossing = self._answer(event, found)
        if crossing is not None:
            crossing.refused = event.seq

    def _answer(self, event: CrossBookReceived | CrossBookRefused, found: Found) -> _Crossing | None:
        """The payment that was answered, if its source is in this log."""
        crossing = self._known.get((event.from_book, event.book, event.number))
        if crossing is None:
            if event.from_book in self._books:
                found(f"{event.from_book} has not sent its payment {event.number}, or has settled it")
            return None
        if crossing.received or crossing.refused:
            found(f"payment {event.number} of {event.from_book} was answered before")
        sent = crossing.sent
        if (
            (sent.transfer, sent.seq, sent.to_account) != (event.transfer, event.sent_seq, event.account)
            or (sent.amount, sent.currency) != (event.amount, event.currency)
            or (sent.value_date, sent.reference) != (event.sent_date, event.reference)
        ):
            found(f"payment {event.number} of {event.from_book} was sent otherwise, at seq {sent.seq} there")
        return crossing

    def _completed(self, event: CrossBookCompleted, found: Found) -> None:
        crossing = self._settled(event, found)
        if crossing is not None:
            crossing.completed = event.seq
            if event.to_book in self._books and crossing.received != event.answer_seq:
                found(f"{event.to_book} has not credited payment {event.number} at seq {event.answer_seq}")
        self._positions[_pair(event.book, event.to_book, event.currency)] += event.amount

    def _released(self, event: CrossBookReleased, found: Found) -> None:
        crossing = self._settled(event, found)
        if crossing is not None:
            crossing.released = event.seq
            if event.to_book in self._books and crossing.refused != event.answer_seq:
                found(f"{event.to_book} has not refused payment {event.number} at seq {event.answer_seq}")

    def _settled(self, event: CrossBookCompleted | CrossBookReleased, found: Found) -> _Crossing | None:
        crossing = self._known.get((event.book, event.to_book, event.number))
        if crossing is None:
            found(f"payment {event.number} to {event.to_book} is not on its way")
        elif crossing.completed or crossing.released:
            found(f"payment {event.number} to {event.to_book} was settled before")
        elif event.to_book not in self._books:
            del self._known[event.book, event.to_book, event.number]
        return crossing

    def _acknowledged(self, event: CrossBookAcknowledged, found: Found) -> None:
        crossing = self._known.get((event.from_book, event.book, event.number))
        if crossing is None:
            if event.from_book in self._books:
                found(f"{event.from_book} has no payment {event.number} to acknowledge")
            return
        settled = crossing.completed or crossing.released
        if not settled or event.settled_seq not in (0, settled):
            found(f"{event.from_book} has not settled payment {event.number} at seq {event.settled_seq}")
        else:
            del self._known[event.from_book, event.book, event.number]


def _pair(one: str, other: str, currency: str) -> tuple[str, str, str]:
    return (one, other, currency) if one < other else (other, one, currency)

"""What cases have found, as labels of the alerts, payments and transfers behind them: for what-if, for the
figures of rules and typologies, and for whoever trains a model.

A label holds from the closing of its case until the case is reopened. What several cases are about has the
worst label that any of them found. What was said when a payment was released or declined in review is its
label until a case about it is closed. Nothing here may judge: a label is what people said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, TypeVar

import msgspec

from engine.log.records import BEFORE_FIRST
from replay.answers import History
from schemas.cases import AlertsJoined, CaseClosed, CaseLabel, CaseMerged, CaseReopened
from schemas.catalogue import decode_event
from schemas.message import Event
from schemas.reviews import PaymentDeclined, ReviewReleased

BAD: Final[frozenset[CaseLabel]] = frozenset({"confirmed_fraud", "suspicious"})
"""Rightly noticed."""
GOOD: Final[frozenset[CaseLabel]] = frozenset({"false_positive", "legitimate"})
"""Noticed for nothing. What is in neither of the two counts for nobody: inconclusive, duplicate."""
WORST_FIRST: Final[tuple[CaseLabel, ...]] = (
    "confirmed_fraud",
    "suspicious",
    "inconclusive",
    "legitimate",
    "false_positive",
    "duplicate",
)


Key = TypeVar("Key", str, int)


class Label(msgspec.Struct, frozen=True, gc=False):
    """What was found, by the event `seq`, at a book time. case: empty where it was said in review."""

    label: CaseLabel
    case: str
    seq: int
    at_ms: int

    @property
    def is_bad(self) -> bool | None:
        """Whether it was rightly noticed; None where that was not found out."""
        if self.label in BAD:
            return True
        return False if self.label in GOOD else None


class _Closed(msgspec.Struct):
    label: Label
    alerts: tuple[str, ...]
    payments: tuple[str, ...]


class Labels:
    """The labels of one book. Give it the book's events, in order."""

    def __init__(self) -> None:
        self._closed: dict[str, _Closed] = {}
        self._reviews: dict[str, Label] = {}
        self._seqs: dict[str, tuple[int, ...]] = {}
        """The events that an alert about no payment is about: transfers."""

    def take(self, event: Event) -> None:
        """Take note of an event; of nearly all of them there is nothing to note."""
        match event:
            case AlertsJoined():
                for one in event.alerts:
                    if not one.movement and one.source == "rule":
                        self._seqs[one.id] = tuple(
                            seen.seq for seen in one.evidence if seen.book == event.book
                        )
            case CaseClosed():
                self._closed[event.case] = closed = _Closed(
                    Label(event.label, event.case, event.seq, event.at),
                    tuple(one.id for one in event.alerts),
                    (*event.payments, *(one.movement for one in event.alerts if one.movement)),
                )
                for payment in closed.payments:
                    self._reviews.pop(payment, None)
            case ReviewReleased() | PaymentDeclined():
                if event.label:
                    self._reviews[event.payment] = Label(event.label, "", event.seq, event.at)
            case CaseReopened() | CaseMerged():
                self._closed.pop(event.case, None)
            case _:
                pass

    def alerts(self) -> dict[str, Label]:
        """By the alert's id."""
        return _worst((one, closed.label) for closed in self._closed.values() for one in closed.alerts)

    def payments(self) -> dict[str, Label]:
        """By the payment's id."""
        cases = ((one, closed.label) for closed in self._closed.values() for one in closed.payments)
        return _worst(chain(cases, self._reviews.items()))

    def transfers(self) -> dict[int, Label]:
        """Of movements without a payment's id, by the seq of their event."""
        return _worst(
            (seq, closed.label)
            for closed in self._closed.values()
            for one in closed.alerts
            for seq in self._seqs.get(one, ())
        )


def labels_of(events: Iterable[Event]) -> Labels:
    """What a book's events say."""
    labels = Labels()
    for event in events:
        labels.take(event)
    return labels


def read_labels(log: History, book: str, *, through: int | None = None) -> Labels:
    """What the log says up to the event `through` of the book, or all of it."""
    return labels_of(_telling(log, book, through))


_TELLING = (AlertsJoined, CaseClosed, CaseReopened, CaseMerged, ReviewReleased, PaymentDeclined)
_NAMES = tuple(f'"{one.__name__}"'.encode() for one in _TELLING)


def _telling(log: History, book: str, through: int | None) -> Iterator[Event]:
    """The events that labels follow from; the others are passed over without being decoded."""
    key = book.encode()
    for record in log.events(BEFORE_FIRST):
        if record.key == key and any(name in record.value for name in _NAMES):
            event = decode_event(record.value)
            if through is not None and event.seq > through:
                return
            yield event


def _worst(found: Iterable[tuple[Key, Label]]) -> dict[Key, Label]:
    worst: dict[Key, Label] = {}
    for key, label in found:
        had = worst.get(key)
        if had is None or _rank(label) < _rank(had):
            worst[key] = label
    return worst


def _rank(label: Label) -> tuple[int, int]:
    """The worst first; of two alike, the one that was there first."""
    return WORST_FIRST.index(label.label), label.seq

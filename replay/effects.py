"""What two histories of a book did, side by side: outcomes, fees, refusals, approvals, money.

`Side` counts one history, `Effects` the difference between two. Nothing here decides anything.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.message import Event


class Charged(msgspec.Struct, frozen=True, gc=False):
    """A fee, as far as it is counted."""

    tariff: str
    line: str
    amount: int
    currency: str


class Moved(msgspec.Struct, frozen=True, gc=False):
    """A posting without the balance it left, which differs as soon as anything before it did."""

    account: str
    amount: int
    currency: str


class Seen(msgspec.Struct, gc=False):
    """What is read of an event. fee: of FeeWaived, the one given back.   missing, approval: of approvals."""

    type: str
    seq: int
    at: int
    cause: int = -1
    timer: str = ""
    reason: str = ""
    missing: Any = 0
    approval: Any = 0
    fees: tuple[Charged, ...] = ()
    fee: Any = None
    postings: tuple[Moved, ...] = ()


see = msgspec.json.Decoder(Seen).decode


def seen_of(event: Event) -> Seen:
    """The same of an event that has not been written. Its parts are the event's own: they read alike."""
    return Seen(
        type(event).__name__,
        event.seq,
        event.at,
        event.cause,
        event.timer,
        getattr(event, "reason", ""),
        getattr(event, "missing", 0),
        getattr(event, "approval", 0),
        getattr(event, "fees", ()),
        getattr(event, "fee", None),
        getattr(event, "postings", ()),
    )


def alike(one: Seen, other: Seen) -> bool:
    """Whether two events do the same, whatever balances they leave."""
    if one.type != other.type or one.reason != other.reason or bool(one.missing) != bool(other.missing):
        return False
    if len(one.postings) != len(other.postings) or len(one.fees) != len(other.fees):
        return False
    for mine, yours in zip(one.postings, other.postings, strict=True):
        if mine.amount != yours.amount or mine.account != yours.account or mine.currency != yours.currency:
            return False
    for charged, also in zip(one.fees, other.fees, strict=True):
        if charged.amount != also.amount or charged.line != also.line or charged.tariff != also.tariff:
            return False
    return True


class FeeLine(msgspec.Struct, frozen=True):
    """What a line of a tariff charged, less what was given back; minor units."""

    line: str
    currency: str
    before: int
    after: int
    before_count: int
    after_count: int


class Refusals(msgspec.Struct, frozen=True):
    """newly: accepted as recorded, and refused with the draft.   no_longer: the other way round."""

    reason: str
    before: int
    after: int
    newly: int
    no_longer: int


class Events(msgspec.Struct, frozen=True):
    """How often something happened."""

    type: str
    before: int
    after: int


class Earned(msgspec.Struct, frozen=True):
    """By how much more an account of the bank's own would stand, minor units; positive is credit."""

    account: str
    currency: str
    difference: int


class Example(msgspec.Struct, frozen=True):
    """A command with another outcome. minor: what it is about, minor units of `currency`.

    was, would_be: done, waits, or refused with the reason.   fees, would_be_fees: by currency.
    """

    command: str
    type: str
    actor: str
    seq: int
    at_ms: int
    was: str
    would_be: str
    minor: int
    currency: str
    fees: dict[str, int]
    would_be_fees: dict[str, int]


class Side:
    """One history's counts."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.fees: dict[tuple[str, str, str], list[int]] = {}

    def take(self, seen: Seen) -> None:
        """Count an event."""
        self.events[seen.type] += 1
        if seen.reason and seen.type == "CommandRejected":
            self.refused[seen.reason] += 1
        if seen.fees or seen.fee is not None:
            self.charge(seen)

    def charge(self, seen: Seen) -> None:
        """Count what an event charges or gives back."""
        for fee in seen.fees:
            self._fee(fee, 1)
        if seen.type == "FeeWaived":
            self._fee(msgspec.convert(seen.fee, Charged, from_attributes=True), -1)

    def _fee(self, fee: Charged, sign: int) -> None:
        key = (fee.tariff, fee.line, fee.currency)
        total = self.fees.get(key)
        if total is None:
            total = self.fees[key] = [0, 0]
        total[0] += sign * fee.amount
        total[1] += sign


class Effects:
    """What would have been different, command by command."""

    def __init__(self, most: int) -> None:
        self.before, self.after = Side(), Side()
        self.alike: dict[str, int] = {}
        self.most = most
        self.commands = self.changed = self.not_comparable = 0
        self.newly: Counter[str] = Counter()
        self.no_longer: Counter[str] = Counter()
        self.would_wait = self.no_longer_waits = 0
        self.moved: dict[tuple[str, str], int] = {}
        self.first: list[Example] = []
        self._largest: list[tuple[int, int, Example]] = []

    def same(self, outcome: Sequence[Seen]) -> None:
        """Both histories did exactly this."""
        for seen in outcome:
            kind = seen.type
            self.alike[kind] = self.alike.get(kind, 0) + 1
            if kind == "CommandRejected":
                self.before.refused[seen.reason] += 1
                self.after.refused[seen.reason] += 1
            elif seen.fees or seen.fee is not None:
                self.before.charge(seen)
                self.after.charge(seen)

    def apart(self, before: Sequence[Seen], after: Sequence[Seen]) -> None:
        """One did this, the other that."""
        for side, outcome, sign in ((self.before, before, -1), (self.after, after, 1)):
            for seen in outcome:
                side.take(seen)
                for one in seen.postings:
                    key = (one.account, one.currency)
                    self.moved[key] = self.moved.get(key, 0) + sign * one.amount

    def changes(self, before: Sequence[Seen], after: Sequence[Seen], waited: bool) -> None:
        """Count how a command's outcome differs. waited: with the drafts it would have, before that."""
        was, now = status_of(before), "waits" if waited else status_of(after)
        self.changed += 1
        refused, refuses = was.startswith("refused"), now.startswith("refused")
        if refuses and not refused:
            self.newly[after[0].reason] += 1
        if refused and not refuses:
            self.no_longer[before[0].reason] += 1
        self.would_wait += now == "waits" and was != "waits"
        self.no_longer_waits += was == "waits" and now != "waits"

    def wants(self, minor: int) -> bool:
        """Whether an example about so much would be kept."""
        largest = self._largest
        return len(self.first) < self.most or (bool(largest) and minor > largest[0][0])

    def example(self, example: Example) -> None:
        """Keep it, if it is among the first or the largest."""
        if len(self.first) < self.most:
            self.first.append(example)
        item = (example.minor, -self.changed, example)
        if len(self._largest) < self.most:
            heapq.heappush(self._largest, item)
        elif self._largest and item > self._largest[0]:
            heapq.heapreplace(self._largest, item)

    def largest(self) -> list[Example]:
        """The examples about the most minor units, largest first."""
        return [example for _, _, example in sorted(self._largest, reverse=True)]

    def fee_lines(self) -> list[FeeLine]:
        """Every line that charged anything in either history."""
        nothing = [0, 0]
        before, after = self.before.fees, self.after.fees
        return [
            FeeLine(
                f"{key[0]}/{key[1]}",
                key[2],
                before.get(key, nothing)[0],
                after.get(key, nothing)[0],
                before.get(key, nothing)[1],
                after.get(key, nothing)[1],
            )
            for key in sorted(before.keys() | after.keys())
        ]

    def refusals(self) -> list[Refusals]:
        """Every reason that was given in either history."""
        before, after = self.before.refused, self.after.refused
        return [
            Refusals(reason, before[reason], after[reason], self.newly[reason], self.no_longer[reason])
            for reason in sorted(before.keys() | after.keys())
        ]

    def events(self) -> list[Events]:
        """What happened more often in one history than in the other."""
        before, after = self.before.events, self.after.events
        return [
            Events(kind, before[kind] + self.alike.get(kind, 0), after[kind] + self.alike.get(kind, 0))
            for kind in sorted(before.keys() | after.keys())
            if before[kind] != after[kind]
        ]


def status_of(outcome: Sequence[Seen]) -> str:
    """done, waits, repeated, or refused with the reason."""
    first = outcome[0]
    match first.type:
        case "CommandRejected":
            return f"refused: {first.reason}"
        case "CommandRepeated":
            return "repeated"
        case "ApprovalRequested":
            return "waits"
        case _:
            return "waits" if any(one.type == "ReviewBegan" for one in outcome) else "done"


def fees_of(outcome: Sequence[Seen]) -> dict[str, int]:
    """The fees of an outcome, by currency."""
    sums: dict[str, int] = {}
    for seen in outcome:
        for fee in seen.fees:
            sums[fee.currency] = sums.get(fee.currency, 0) + fee.amount
    return sums

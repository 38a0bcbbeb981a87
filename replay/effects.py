"""What two histories of a book did, side by side: outcomes, fees, refusals, approvals, money.

`Side` counts one history, `Effects` the difference between two. Nothing here decides anything.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec


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

    was, would_be: done, waits, or refused with the reason; with the fees, where they differ.
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


class Side:
    """One history's counts."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.fees: dict[tuple[str, str], list[int]] = {}

    def take(self, seen: Seen) -> None:
        """Count an event."""
        self.events[seen.type] += 1
        if seen.reason and seen.type == "CommandRejected":
            self.refused[seen.reason] += 1
        for fee in seen.fees:
            self._fee(fee, 1)
        if seen.type == "FeeWaived":
            self._fee(msgspec.convert(seen.fee, Charged), -1)

    def _fee(self, fee: Charged, sign: int) -> None:
        total = self.fees.setdefault((f"{fee.tariff}/{fee.line}", fee.currency), [0, 0])
        total[0] += sign * fee.amount
        total[1] += sign


class Effects:
    """What would have been different, command by command."""

    def __init__(self, most: int) -> None:
        self.before, self.after = Side(), Side()
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
            self.before.take(seen)
            self.after.take(seen)

    def apart(self, before: Sequence[Seen], after: Sequence[Seen]) -> None:
        """One did this, the other that."""
        for side, outcome, sign in ((self.before, before, -1), (self.after, after, 1)):
            for seen in outcome:
                side.take(seen)
                for one in seen.postings:
                    key = (one.account, one.currency)
                    self.moved[key] = self.moved.get(key, 0) + sign * one.amount

    def compared(self, before: Sequence[Seen], after: Sequence[Seen], waited: bool) -> bool:
        """Count how a command's outcome differs, if it does. waited: with the draft it had to, before."""
        was, now = status_of(before), "waits" if waited else status_of(after)
        if was == now and _content(before) == _content(after):
            return False
        self.changed += 1
        refused, refuses = was.startswith("refused"), now.startswith("refused")
        if refuses and not refused:
            self.newly[after[0].reason] += 1
        if refused and not refuses:
            self.no_longer[before[0].reason] += 1
        self.would_wait += now == "waits" and was != "waits"
        self.no_longer_waits += was == "waits" and now != "waits"
        return True

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
                *key,
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
            Events(kind, before[kind], after[kind])
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
            return "done"


def fees_of(outcome: Sequence[Seen]) -> dict[str, int]:
    """The fees of an outcome, by currency."""
    sums: dict[str, int] = {}
    for seen in outcome:
        for fee in seen.fees:
            sums[fee.currency] = sums.get(fee.currency, 0) + fee.amount
    return sums


def _content(outcome: Sequence[Seen]) -> list[tuple[object, ...]]:
    return [(one.type, one.reason, bool(one.missing), one.fees, one.postings) for one in outcome]

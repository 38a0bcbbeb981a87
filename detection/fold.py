"""What typologies are built from: the frame of one, what is kept of each account, and parts of a pattern.

Memory is bounded twice. `Recent` forgets who was idle; what it keeps of each is bounded by whoever uses it.
Everything here is a function of the flows alone: no clock, no chance, no order of a set.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

import msgspec

from detection.flows import MOVED, Directory, Flow, FlowKind
from schemas.alerts import Alert, alert_id, figures_held, held
from schemas.documents.typology import Parameters
from schemas.flags import Seen

MOST_EVIDENCE: Final = 100
NOTHING: Final[tuple[Alert, ...]] = ()

T = TypeVar("T")
P = TypeVar("P", bound=Parameters)
S = TypeVar("S")


class Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A flow as part of a pattern. other: the other side, where the pattern asks for it."""

    at: int
    seq: int
    amount: int
    other: str = ""


class Window(msgspec.Struct, gc=False, array_like=True):
    """The parts of a pattern within a window, oldest first, and their sum. told_at: of its last alert."""

    parts: list[Part] = []
    total: int = 0
    told_at: int = 0

    def trim(self, since: int, most: int) -> None:
        """Let go what is older than `since`, and the oldest of more than `most`."""
        parts = self.parts
        gone = max(0, len(parts) - most)
        while gone < len(parts) and parts[gone].at < since:
            gone += 1
        if gone:
            self.total -= sum([part.amount for part in parts[:gone]])
            del parts[:gone]

    def add(self, part: Part) -> None:
        """A part more."""
        self.parts.append(part)
        self.total += part.amount

    def clear(self) -> None:
        """Begin anew."""
        self.parts.clear()
        self.total = 0

    def take_back(self, seq: int, amount: int) -> None:
        """Let go the part of this seq, or the newest of this amount where no seq is known."""
        for index in range(len(self.parts) - 1, -1, -1):
            part = self.parts[index]
            if part.seq == seq if seq else part.amount == amount:
                del self.parts[index]
                self.total -= part.amount
                return


class Recent(msgspec.Struct, Generic[T]):
    """What is kept of each key that was seen lately: for `keep_ms` at least, for twice that at most.

    Two generations: who is seen moves to the young one; at each turn the old one goes and the young one grows
    old.
    """

    young: dict[str, T] = {}
    old: dict[str, T] = {}
    turn_at: int = 0
    keep_ms: int = 0

    def find(self, key: str, at: int, keep_ms: int) -> T | None:
        """What is kept of the key, which counts as seen."""
        if at >= self.turn_at:
            self._turn(at, keep_ms)
        found = self.young.get(key)
        if found is None and (found := self.old.pop(key, None)) is not None:
            self.young[key] = found
        return found

    def peek(self, key: str) -> T | None:
        """What is kept of the key."""
        found = self.young.get(key)
        return self.old.get(key) if found is None else found

    def tidy(self, at: int) -> None:
        """Turn where it is time, also where nobody new was looked for."""
        if self.keep_ms and at >= self.turn_at:
            self._turn(at, self.keep_ms)

    def _turn(self, at: int, keep_ms: int) -> None:
        self.old = self.young if at < self.turn_at + keep_ms else {}
        self.young = {}
        self.turn_at = at + keep_ms
        self.keep_ms = keep_ms


class Fold(Generic[P, S]):
    """The frame of a typology: see `detection.flows.Typology`, which says what each part means.

    A subclass names itself, its `State`, and writes `flow`; and `taken_back` where its state knows single
    flows.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[FlowKind]] = MOVED
    State: ClassVar[Any]

    def __init__(self, setting: P, version: int, state: S | None = None) -> None:
        """setting: its parameters.   version: of their document.   state: of one before, to go on from."""
        self.setting = setting
        self.version = version
        self.state: S = self.State() if state is None else state
        self._channels = frozenset(setting.channels)
        self._shadow = setting.stage == "shadow"
        self._products = frozenset(setting.products)
        self._not_products = frozenset(setting.but_products)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`: it counts all the same."""

    def new_day(self, at: int) -> None:
        """See `Typology.new_day`."""
        if isinstance(self.state, Recent):
            self.state.tidy(at)

    def concerns(self, account: str, who: Directory) -> bool:
        """Whether it is about this account: asked only where a pattern is complete."""
        if not self._products and not self._not_products:
            return True
        holder = who.holder(account)
        product = "" if holder is None else holder.product
        return product in self._products if self._products else product not in self._not_products

    def alert(
        self,
        flow: Flow,
        *,
        party: str,
        account: str,
        what: object,
        first_at: int,
        seqs: Iterable[int],
        amount: int,
        confidence: int,
        figures: dict[str, int | str],
        words: str,
    ) -> Alert:
        """An alert about an account, completed by `flow`.

        what: what tells it from others about the account: the seq of its first flow, or a window's number.
        seqs: of the flows behind it, oldest first; the newest are kept where they are too many.
        """
        evidence = tuple([Seen(book=flow.book, seq=seq) for seq in list(seqs)[-MOST_EVIDENCE:]])
        return Alert(
            id=alert_id(flow.book, self.name, account or party, what),
            source="typology",
            kind=self.name,
            version=self.version,
            book=flow.book,
            at=flow.at,
            first_at=first_at,
            day=datetime.date.fromordinal(flow.day).isoformat(),
            party=party,
            account=account,
            payee=flow.outside,
            device=flow.device,
            movement=flow.movement,
            currency=flow.currency,
            amount=held(amount),
            confidence=max(0, min(1_000, confidence)),
            figures=figures_held(figures),
            words=words,
            evidence=evidence,
            shadow=self._shadow,
        )


def seqs_of(parts: Sequence[Part]) -> list[int]:
    """Of each part, oldest first."""
    return [part.seq for part in parts]


def over(value: int, threshold: int, base: int = 500) -> int:
    """A confidence: `base` up to the threshold, 1,000 from twice of it on. Only its order means anything."""
    if value <= threshold or threshold <= 0:
        return base
    return min(1_000, base + (1_000 - base) * (value - threshold) // threshold)

"""Fan-in and fan-out: many distinct payers of one account, or many distinct payees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Part, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_flow import FanIn, FanOut
from schemas.documents.typology import DAY_MS

MOST: Final = 100
"""Others that are kept of an account: as many as a set of parameters may ask for."""


class Others(msgspec.Struct, gc=False, array_like=True):
    """The newest movement with each other side, the longest ago first, and their sum.

    look_at: no sooner than then is one too old.
    """

    newest: dict[str, Part] = {}
    total: int = 0
    told_at: int = 0
    look_at: int = 0

    def forget(self, since: int) -> None:
        """Let go what is older, and the oldest of too many."""
        newest = self.newest
        while True:
            first = next(iter(newest))
            oldest = newest[first]
            if oldest.at >= since and len(newest) <= MOST:
                return
            del newest[first]
            self.total -= oldest.amount

    def take_back(self, other: str, seq: int, amount: int) -> None:
        """Let go the movement with this other, if it is that one."""
        part = self.newest.get(other)
        if part is not None and (part.seq == seq if seq else part.amount == amount):
            del self.newest[other]
            self.total -= part.amount


class _Fan(Fold[Any, Recent[Others]]):
    State: ClassVar[Any] = Recent[Others]
    words: ClassVar[str]

    def __init__(self, setting: FanIn | FanOut, version: int, state: Recent[Others] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_days * DAY_MS

    def _see(self, flow: Flow, who: Directory, party: str, account: str, other: str) -> Sequence[Alert]:
        setting = self.setting
        least = setting.least.get(flow.currency)
        if least is None or (self._channels and flow.channel not in self._channels):
            return NOTHING
        at, amount = flow.at, flow.amount
        state = self.state
        if at >= state.turn_at:
            state.tidy(at)
        others = state.young.get(account) or state.find(account, at, self._within_ms)
        if others is None:
            others = state.young[account] = Others()
        newest = others.newest
        if other in newest:
            amount -= newest.pop(other).amount
        others.total += amount
        newest[other] = Part(at, flow.seq, flow.amount)
        if at >= others.look_at or len(newest) > MOST:
            others.forget(at - self._within_ms)
            others.look_at = newest[next(iter(newest))].at + self._within_ms + 1
        count = len(newest)
        if count < setting.count or others.total < least:
            return NOTHING
        if others.told_at and at < others.told_at + self._within_ms:
            return NOTHING
        if not self.concerns(account, who):
            return NOTHING
        parts = list(others.newest.values())
        made = self.alert(
            flow,
            party=party,
            account=account,
            what=parts[0].seq,
            first_at=parts[0].at,
            seqs=[part.seq for part in parts],
            amount=others.total,
            confidence=over(count, setting.count),
            figures={
                "others": count,
                "sum": others.total,
                "count": setting.count,
                "least": least,
                "days": setting.within_days,
            },
            words=self.words.format(count, setting.within_days),
        )
        others.newest.clear()
        others.total, others.told_at = 0, at
        return (made,)


class FanInFold(_Fan):
    """Distinct payers of an account, each by its newest movement. After an alert it is quiet for a window."""

    name = "fan_in"
    words = "{} different payers have paid into one account within {} days."

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`. A payer that is not known, such as one over the counter, is none."""
        other = flow.source if flow.source_party else flow.outside
        if not flow.target_party or not other:
            return NOTHING
        return self._see(flow, who, flow.target_party, flow.target, other)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        others = self.state.peek(flow.target)
        if others is not None:
            others.take_back(flow.source if flow.source_party else flow.outside, flow.seq, flow.amount)


class FanOutFold(_Fan):
    """Distinct payees of an account, each by its newest movement. After an alert it is quiet for a window."""

    name = "fan_out"
    words = "One account has paid {} different payees within {} days."

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        other = flow.target if flow.target_party else flow.outside
        if not flow.source_party or not other:
            return NOTHING
        return self._see(flow, who, flow.source_party, flow.source, other)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        others = self.state.peek(flow.source)
        if others is not None:
            others.take_back(flow.target if flow.target_party else flow.outside, flow.seq, flow.amount)

"""Pass-through: what comes in leaves again within a day, so that the account is only a stop on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import MOST_EVIDENCE, NOTHING, Fold, Part, Recent, Window, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_flow import PassThrough
from schemas.documents.typology import HOUR_MS

MOST: Final = 100
"""Movements that are kept of an account on each side: of more, the oldest count no longer."""


class Through(msgspec.Struct, gc=False, array_like=True):
    """What came into an account and what went out since, within the window."""

    came: Window
    went: Window


class PassThroughFold(Fold[PassThrough, Recent[Through]]):
    """Looked at when money leaves. After an alert it is quiet for as long as the window lasts."""

    name = "pass_through"
    State: ClassVar[Any] = Recent[Through]

    def __init__(self, setting: PassThrough, version: int, state: Recent[Through] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_hours * HOUR_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        least = self.setting.least.get(flow.currency)
        if least is None or (self._channels and flow.channel not in self._channels):
            return NOTHING
        at = flow.at
        since = at - self._within_ms
        state, amount = self.state, flow.amount
        if at >= state.turn_at:
            state.tidy(at)
        if flow.target_party:
            self._came(flow, since)
        if not flow.source_party:
            return NOTHING
        through = state.young.get(flow.source) or state.find(flow.source, at, self._within_ms)
        if through is None:
            return NOTHING
        came, went = through.came, through.went
        if came.parts and came.parts[0].at < since:
            came.trim(since, MOST)
        if not came.parts:
            if went.parts:
                went.clear()
            return NOTHING
        went.parts.append(Part(at, flow.seq, amount))
        went.total += amount
        if went.parts[0].at < came.parts[0].at or len(went.parts) > MOST:
            went.trim(came.parts[0].at, MOST)
        if came.total < least or went.total * 1_000 < came.total * self.setting.share:
            return NOTHING
        return self._passed(flow, who, through, least)

    def _came(self, flow: Flow, since: int) -> None:
        state, at = self.state, flow.at
        through = state.young.get(flow.target) or state.find(flow.target, at, self._within_ms)
        if through is None:
            through = state.young[flow.target] = Through(Window(), Window())
        came = through.came
        came.parts.append(Part(at, flow.seq, flow.amount))
        came.total += flow.amount
        if came.parts[0].at < since or len(came.parts) > MOST:
            came.trim(since, MOST)

    def _passed(self, flow: Flow, who: Directory, through: Through, least: int) -> Sequence[Alert]:
        at, setting = flow.at, self.setting
        came, went = through.came, through.went
        if setting.left is not None and flow.source_after * 1_000 > came.total * setting.left:
            return NOTHING
        if went.told_at and at < went.told_at + self._within_ms:
            return NOTHING
        if not self.concerns(flow.source, who):
            return NOTHING
        share = min(went.total * 1_000 // came.total, 9_999)
        half = MOST_EVIDENCE // 2
        seqs = sorted([part.seq for part in (*came.parts[-half:], *went.parts[-half:])])
        made = self.alert(
            flow,
            party=flow.source_party,
            account=flow.source,
            what=came.parts[0].seq,
            first_at=came.parts[0].at,
            seqs=seqs,
            amount=came.total,
            confidence=over(came.total, least, 550),
            figures={
                "came_in": came.total,
                "went_out": went.total,
                "share_per_mille": share,
                "balance_after": flow.source_after,
                "least": least,
                "hours": setting.within_hours,
            },
            words=f"{min(share, 1_000) // 10} % of what came in left again within "
            f"{setting.within_hours} hours.",
        )
        came.clear()
        went.clear()
        went.told_at = at
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        through = self.state.peek(flow.target)
        if through is not None:
            through.came.take_back(flow.seq, flow.amount)
        through = self.state.peek(flow.source)
        if through is not None:
            through.went.take_back(flow.seq, flow.amount)

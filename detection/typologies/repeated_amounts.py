"""Repeated amounts: nearly the same amount again and again, with several others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Part, Recent, Window, over, seqs_of
from schemas.alerts import Alert
from schemas.documents.typologies_of_amounts import RepeatedAmounts
from schemas.documents.typology import DAY_MS


class RepeatedAmountsFold(Fold[RepeatedAmounts, Recent[Window]]):
    """By account and side. What is near the newest amount counts; the last `2 * count` amounts are kept.

    After an alert those that it tells of are let go, and it is quiet for as long as the window lasts.
    """

    name = "repeated_amounts"
    State: ClassVar[Any] = Recent[Window]

    def __init__(self, setting: RepeatedAmounts, version: int, state: Recent[Window] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_days * DAY_MS
        self._is_in = setting.side == "in"
        self._most = 2 * setting.count

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        setting, amount = self.setting, flow.amount
        least = setting.least.get(flow.currency)
        if least is None or amount < least or (self._channels and flow.channel not in self._channels):
            return NOTHING
        if self._is_in:
            party, account, other = flow.target_party, flow.target, flow.source or flow.outside
        else:
            party, account, other = flow.source_party, flow.source, flow.target or flow.outside
        if not party:
            return NOTHING
        at = flow.at
        window = self.state.find(account, at, self._within_ms)
        if window is None:
            window = self.state.young[account] = Window()
        window.add(Part(at, flow.seq, amount, other))
        window.trim(at - self._within_ms, self._most)
        parts = window.parts
        if len(parts) < setting.count:
            return NOTHING
        off = amount * setting.tolerance // 1_000
        lowest, highest = amount - off, amount + off
        near = [part for part in parts if lowest <= part.amount <= highest]
        if len(near) < setting.count or (window.told_at and at < window.told_at + self._within_ms):
            return NOTHING
        others = len({part.other for part in near})
        if others < setting.others or not self.concerns(account, who):
            return NOTHING
        total = sum([part.amount for part in near])
        made = self.alert(
            flow,
            party=party,
            account=account,
            what=near[0].seq,
            first_at=near[0].at,
            seqs=seqs_of(near),
            amount=total,
            confidence=over(len(near), setting.count),
            figures={
                "count": len(near),
                "others": others,
                "lowest": min([part.amount for part in near]),
                "highest": max([part.amount for part in near]),
                "tolerance_per_mille": setting.tolerance,
                "days": setting.within_days,
            },
            words=f"Nearly the same amount {'came in' if self._is_in else 'went out'} {len(near)} times "
            f"within {setting.within_days} days, with {others} others.",
        )
        told = {part.seq for part in near}
        window.parts = [part for part in parts if part.seq not in told]
        window.total -= total
        window.told_at = at
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        window = self.state.peek(flow.target if self._is_in else flow.source)
        if window is not None:
            window.take_back(flow.seq, flow.amount)

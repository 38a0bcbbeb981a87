"""Structuring: several amounts that each stay just under a threshold, and reach it together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Part, Recent, Window, over, seqs_of
from schemas.alerts import Alert
from schemas.documents.typologies_of_amounts import Structuring
from schemas.documents.typology import DAY_MS

MOST: Final = 100
"""Parts of a pattern that are kept of an account: as many as a set of parameters may ask for."""


class StructuringFold(Fold[Structuring, Recent[Window]]):
    """Amounts from `near` up to the threshold. After an alert it is quiet for as long as the window lasts."""

    name = "structuring"
    State: ClassVar[Any] = Recent[Window]

    def __init__(self, setting: Structuring, version: int, state: Recent[Window] | None = None) -> None:
        super().__init__(setting, version, state)
        self._bounds = {
            currency: (threshold * setting.near // 1_000, threshold)
            for currency, threshold in setting.threshold.items()
        }
        self._within_ms = setting.within_days * DAY_MS
        self._is_in = setting.side == "in"

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        bounds = self._bounds.get(flow.currency)
        if bounds is None or not bounds[0] <= flow.amount < bounds[1]:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        party, account = (flow.target_party, flow.target) if self._is_in else (flow.source_party, flow.source)
        if not party:
            return NOTHING
        at, setting = flow.at, self.setting
        window = self.state.find(account, at, self._within_ms)
        if window is None:
            window = self.state.young[account] = Window()
        window.add(Part(at, flow.seq, flow.amount))
        window.trim(at - self._within_ms, MOST)
        count = len(window.parts)
        if count < setting.count or window.total < bounds[1]:
            return NOTHING
        if window.told_at and at < window.told_at + self._within_ms:
            return NOTHING
        if not self.concerns(account, who):
            return NOTHING
        parts, total = window.parts, window.total
        made = self.alert(
            flow,
            party=party,
            account=account,
            what=parts[0].seq,
            first_at=parts[0].at,
            seqs=seqs_of(parts),
            amount=total,
            confidence=over(count, setting.count, 600),
            figures={
                "count": count,
                "sum": total,
                "smallest": min([part.amount for part in parts]),
                "largest": max([part.amount for part in parts]),
                "threshold": bounds[1],
                "days": setting.within_days,
            },
            words=f"{count} amounts {'came in' if self._is_in else 'went out'} within {setting.within_days} "
            "days, each just under the threshold, and together above it.",
        )
        window.told_at = at
        window.clear()
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        window = self.state.peek(flow.target if self._is_in else flow.source)
        if window is not None:
            window.take_back(flow.seq, flow.amount)

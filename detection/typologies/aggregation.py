"""Aggregation: amounts of one party that each stay under a threshold and reach it together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Part, Recent, Window, over, seqs_of
from schemas.alerts import Alert
from schemas.documents.typologies_of_amounts import Aggregation
from schemas.documents.typology import HOUR_MS

MOST: Final = 400
"""Parts of a pattern that are kept of a party: of more, the oldest count no longer."""


class AggregationFold(Fold[Aggregation, Recent[Window]]):
    """By party and currency, over all its accounts. After an alert it is quiet for as long as the window."""

    name = "aggregation"
    State: ClassVar[Any] = Recent[Window]

    def __init__(self, setting: Aggregation, version: int, state: Recent[Window] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_hours * HOUR_MS
        self._is_in = setting.side == "in"

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        threshold = self.setting.threshold.get(flow.currency)
        if threshold is None or flow.amount >= threshold:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        party = flow.target_party if self._is_in else flow.source_party
        if not party:
            return NOTHING
        at, key = flow.at, _key(party, flow)
        window = self.state.find(key, at, self._within_ms)
        if window is None:
            window = self.state.young[key] = Window()
        window.add(Part(at, flow.seq, flow.amount))
        window.trim(at - self._within_ms, MOST)
        count, total = len(window.parts), window.total
        if total < threshold or count < self.setting.count:
            return NOTHING
        if window.told_at and at < window.told_at + self._within_ms:
            return NOTHING
        account = flow.target if self._is_in else flow.source
        if not self.concerns(account, who):
            return NOTHING
        parts = window.parts
        made = self.alert(
            flow,
            party=party,
            account=account,
            what=parts[0].seq,
            first_at=parts[0].at,
            seqs=seqs_of(parts),
            amount=total,
            confidence=over(total, threshold),
            figures={
                "count": count,
                "sum": total,
                "largest": max([part.amount for part in parts]),
                "threshold": threshold,
                "hours": self.setting.within_hours,
            },
            words=f"{count} amounts {'came in' if self._is_in else 'went out'} within "
            f"{self.setting.within_hours} hours, each under the threshold, and together above it.",
        )
        window.told_at = at
        window.clear()
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        window = self.state.peek(_key(flow.target_party if self._is_in else flow.source_party, flow))
        if window is not None:
            window.take_back(flow.seq, flow.amount)


def _key(party: str, flow: Flow) -> str:
    return f"{party}\n{flow.currency}"

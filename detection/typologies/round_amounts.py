"""Round amounts: somebody pays in hundreds, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Part, Recent, over, seqs_of
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import RoundAmounts
from schemas.documents.typology import DAY_MS


class Payments(msgspec.Struct, gc=False, array_like=True):
    """The last payments of an account that could have been round, oldest first."""

    parts: list[Part] = []


class RoundAmountsFold(Fold[RoundAmounts, Recent[Payments]]):
    """See the parameters. After an alert the account begins anew."""

    name = "round_amounts"
    State: ClassVar[Any] = Recent[Payments]

    def __init__(self, setting: RoundAmounts, version: int, state: Recent[Payments] | None = None) -> None:
        super().__init__(setting, version, state)
        self._least = -(-setting.payments * setting.share // 1_000)
        self._within_ms = setting.within_days * DAY_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        unit = self.setting.units.get(flow.currency)
        if unit is None or flow.amount < unit or not flow.source_party:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        found = self.state.find(flow.source, flow.at, self._within_ms)
        if found is None:
            found = self.state.young[flow.source] = Payments()
        parts, most = found.parts, self.setting.payments
        parts.append(Part(flow.at, flow.seq, flow.amount))
        if len(parts) < most:
            return NOTHING
        del parts[:-most]
        if parts[0].at < flow.at - self._within_ms:
            return NOTHING
        of_them = [part for part in parts if not part.amount % unit]
        if len(of_them) < self._least or not self.concerns(flow.source, who):
            return NOTHING
        made = self._alert(flow, unit, parts, of_them)
        parts.clear()
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        found = self.state.peek(flow.source)
        if found is not None:
            found.parts = [part for part in found.parts if part.seq != flow.seq]

    def _alert(self, flow: Flow, unit: int, parts: list[Part], of_them: list[Part]) -> Alert:
        return self.alert(
            flow,
            party=flow.source_party,
            account=flow.source,
            what=parts[0].seq,
            first_at=parts[0].at,
            seqs=seqs_of(of_them),
            amount=sum([part.amount for part in of_them]),
            confidence=over(len(of_them), self._least),
            figures={
                "payments": len(parts),
                "round": len(of_them),
                "least_round": self._least,
                "unit": unit,
            },
            words=f"{len(of_them)} of the last {len(parts)} larger payments are multiples of a round amount.",
        )

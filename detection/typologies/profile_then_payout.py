"""Profile change then payout: the customer's data changed, and soon after much of the money leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import ProfileThenPayout
from schemas.documents.typology import HOUR_MS


class ProfileThenPayoutFold(Fold[ProfileThenPayout, Recent[int]]):
    """See the parameters. Each change has one alert an account: the state is for which change that was."""

    name = "profile_then_payout"
    State: ClassVar[Any] = Recent[int]

    def __init__(self, setting: ProfileThenPayout, version: int, state: Recent[int] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_hours * HOUR_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        setting = self.setting
        least = setting.least.get(flow.currency)
        if least is None or flow.amount < least or not flow.source_party:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        before = flow.source_after + flow.amount
        if flow.amount * 1_000 < setting.share * before:
            return NOTHING
        holder = who.holder(flow.source)
        if holder is None or not holder.changed_at or flow.at - holder.changed_at > self._within_ms:
            return NOTHING
        changed_at = holder.changed_at
        if not self.concerns(flow.source, who):
            return NOTHING
        if self.state.find(flow.source, flow.at, self._within_ms) == changed_at:
            return NOTHING
        self.state.young[flow.source] = changed_at
        return (
            self.alert(
                flow,
                party=flow.source_party,
                account=flow.source,
                what=changed_at,
                first_at=changed_at,
                seqs=(flow.seq,),
                amount=flow.amount,
                confidence=over(flow.amount, least),
                figures={
                    "paid": flow.amount,
                    "least": least,
                    "balance_before": before,
                    "minutes_after": (flow.at - changed_at) // 60_000,
                },
                words="Soon after the customer's data were changed, much of the money was paid out.",
            ),
        )

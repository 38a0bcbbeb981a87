"""Dormant, then active: an account that was quiet for long moves money again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Part, Recent, Window, over, seqs_of
from schemas.alerts import Alert
from schemas.documents.typologies_of_flow import DormantActive
from schemas.documents.typology import DAY_MS

MOST: Final = 100


class Woken(msgspec.Struct, gc=False, array_like=True):
    """What an account has moved since it woke.   quiet_ms: how long it had been quiet."""

    since: int
    quiet_ms: int
    moved: Window


class DormantActiveFold(Fold[DormantActive, Recent[Woken]]):
    """Quiet is an account without any flow, in or out, since its last one or since it was opened.

    Only what has woken is kept: when the last flow was stands in the directory. One alert a waking.
    """

    name = "dormant_active"
    State: ClassVar[Any] = Recent[Woken]

    def __init__(self, setting: DormantActive, version: int, state: Recent[Woken] | None = None) -> None:
        super().__init__(setting, version, state)
        self._quiet_ms = setting.quiet_days * DAY_MS
        self._within_ms = setting.within_days * DAY_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        found: Sequence[Alert] = NOTHING
        if flow.source_party:
            found = self._moved(flow, who, flow.source_party, flow.source)
        if flow.target_party:
            made = self._moved(flow, who, flow.target_party, flow.target)
            if made:
                found = (*found, *made)
        return found

    def _moved(self, flow: Flow, who: Directory, party: str, account: str) -> Sequence[Alert]:
        at = flow.at
        holder = who.holder(account)
        if holder is None:
            return NOTHING
        quiet_ms = at - (holder.last_at or holder.opened_at)
        if quiet_ms >= self._quiet_ms:
            self.state.find(account, at, self._within_ms)  # which lets go who woke long ago
            self.state.young[account] = Woken(at, quiet_ms, Window())
        woken = self.state.peek(account)
        if woken is None or woken.moved.told_at or at > woken.since + self._within_ms:
            return NOTHING
        least = self.setting.least.get(flow.currency)
        if least is None or (self._channels and flow.channel not in self._channels):
            return NOTHING
        moved = woken.moved
        moved.add(Part(at, flow.seq, flow.amount))
        moved.trim(woken.since, MOST)
        if moved.total < least or not self.concerns(account, who):
            return NOTHING
        days = woken.quiet_ms // DAY_MS
        made = self.alert(
            flow,
            party=party,
            account=account,
            what=moved.parts[0].seq,
            first_at=moved.parts[0].at,
            seqs=seqs_of(moved.parts),
            amount=moved.total,
            confidence=over(days, self.setting.quiet_days),
            figures={
                "quiet_days": days,
                "moved": moved.total,
                "least": least,
                "asked_days": self.setting.quiet_days,
            },
            words=f"An account that was quiet for {days} days moves money again.",
        )
        moved.told_at = at
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        for account in (flow.source, flow.target):
            woken = self.state.peek(account)
            if woken is not None:
                woken.moved.take_back(flow.seq, flow.amount)

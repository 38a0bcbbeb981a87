"""New account velocity: an account that is hardly opened moves much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow, Holder
from detection.fold import NOTHING, Fold, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import NewAccountVelocity
from schemas.documents.typology import DAY_MS

EVIDENCE: Final = 20
"""Newest movements that are kept for evidence."""


class Early(msgspec.Struct, gc=False, array_like=True):
    """A new account. came_in: minor units.   seqs: the newest movements.   told: it has had its alert."""

    first_at: int
    movements: int = 0
    came_in: int = 0
    seqs: list[int] = []
    told: bool = False


class NewAccountVelocityFold(Fold[NewAccountVelocity, Recent[Early]]):
    """See the parameters. An account has one alert."""

    name = "new_account_velocity"
    State: ClassVar[Any] = Recent[Early]

    def __init__(self, setting: NewAccountVelocity, version: int, state: Recent[Early] | None = None) -> None:
        super().__init__(setting, version, state)
        self._age_ms = setting.age_days * DAY_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        least = self.setting.turnover.get(flow.currency)
        if least is None or (self._channels and flow.channel not in self._channels):
            return NOTHING
        opened_before = flow.at - self._age_ms
        made: Sequence[Alert] = NOTHING
        if flow.source_party:
            holder = who.holder(flow.source)
            if holder is not None and holder.opened_at > opened_before:
                made = self._moved(flow, holder, flow.source, 0, least, who)
        if flow.target_party:
            holder = who.holder(flow.target)
            if holder is not None and holder.opened_at > opened_before:
                made = (*made, *self._moved(flow, holder, flow.target, flow.amount, least, who))
        return made

    def _moved(
        self, flow: Flow, holder: Holder, account: str, came_in: int, least: int, who: Directory
    ) -> Sequence[Alert]:
        early = self.state.find(account, flow.at, self._age_ms)
        if early is None:
            early = self.state.young[account] = Early(flow.at)
        early.movements += 1
        early.came_in += came_in
        early.seqs.append(flow.seq)
        if len(early.seqs) > EVIDENCE:
            del early.seqs[0]
        needed = self.setting.payments
        if early.told or early.came_in < least or early.movements < needed:
            return NOTHING
        if not self.concerns(account, who):
            return NOTHING
        early.told = True
        return (
            self.alert(
                flow,
                party=holder.party,
                account=account,
                what=holder.opened_at,
                first_at=early.first_at,
                seqs=early.seqs,
                amount=early.came_in,
                confidence=min(over(early.came_in, least), over(early.movements, needed)),
                figures={
                    "came_in": early.came_in,
                    "least": least,
                    "movements": early.movements,
                    "least_movements": needed,
                    "age_days": (flow.at - holder.opened_at) // DAY_MS,
                },
                words="An account that was opened only days ago moves much money.",
            ),
        )

"""Layering: what comes in is moved on within days, in several payments, and nothing much stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from detection.typologies.slices import SLICES, Slices
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import MOST_ONWARD, Layering
from schemas.documents.typology import HOUR_MS

EVIDENCE: Final = 20
"""Newest movements that are kept for evidence."""


class Chain(msgspec.Struct, gc=False, array_like=True):
    """An account. onward: when it last paid others.   seqs: the newest movements."""

    money: Slices
    onward: list[int] = []
    seqs: list[int] = []

    def forget(self, before: int) -> None:
        """Forget what was before."""
        self.money.forget(before)
        while self.onward and self.onward[0] < before:
            del self.onward[0]

    def witness(self, seq: int) -> None:
        """A movement more."""
        self.seqs.append(seq)
        if len(self.seqs) > EVIDENCE:
            del self.seqs[0]


class LayeringFold(Fold[Layering, Recent[Chain]]):
    """See the parameters. What leaves while nothing has come in within the window does not count.

    The window is one of slices, see `Slices`. After an alert the account begins anew.
    """

    name = "layering"
    State: ClassVar[Any] = Recent[Chain]

    def __init__(self, setting: Layering, version: int, state: Recent[Chain] | None = None) -> None:
        super().__init__(setting, version, state)
        self._slice_ms = setting.within_hours * HOUR_MS // SLICES
        self._window_ms = SLICES * self._slice_ms
        self._keep_ms = self._window_ms + self._slice_ms

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        least = self.setting.least.get(flow.currency)
        if least is None:
            return NOTHING
        at, state = flow.at, self.state
        start = at - at % self._slice_ms
        if flow.target_party:
            chain = state.young.get(flow.target) or state.find(flow.target, at, self._keep_ms)
            if chain is None:
                chain = state.young[flow.target] = Chain(Slices())
            elif 0 <= chain.money.oldest < start - self._window_ms:
                chain.forget(start - self._window_ms)
            chain.money.add(start, at, flow.amount, 0)
            chain.witness(flow.seq)
        if not flow.source_party:
            return NOTHING
        chain = state.young.get(flow.source) or state.find(flow.source, at, self._keep_ms)
        return NOTHING if chain is None else self._left(chain, flow, start, least, who)

    def _left(self, chain: Chain, flow: Flow, start: int, least: int, who: Directory) -> Sequence[Alert]:
        money, share, left = chain.money, self.setting.share, self.setting.left
        if 0 <= money.oldest < start - self._window_ms:
            chain.forget(start - self._window_ms)
        if not money.came_in or (self._channels and flow.channel not in self._channels):
            return NOTHING
        money.add(start, flow.at, 0, flow.amount)
        chain.witness(flow.seq)
        chain.onward.append(flow.at)
        if len(chain.onward) > MOST_ONWARD:
            del chain.onward[0]
        came, went = money.came_in, money.went_out
        if (
            came < least
            or went * 1_000 < share * came
            or (left is not None and flow.source_after * 1_000 > left * came)
            or len(chain.onward) < self.setting.payments
        ):
            return NOTHING
        if not self.concerns(flow.source, who):
            return NOTHING
        made = self.alert(
            flow,
            party=flow.source_party,
            account=flow.source,
            what=chain.seqs[0],
            first_at=money.began,
            seqs=chain.seqs,
            amount=came,
            confidence=over(came, least),
            figures={
                "came_in": came,
                "least": least,
                "went_out": went,
                "payments_out": len(chain.onward),
                "left": flow.source_after,
            },
            words="Nearly all that came in within days has left again in several payments.",
        )
        money.clear()
        chain.onward.clear()
        chain.seqs.clear()
        return (made,)

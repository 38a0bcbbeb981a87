"""Collection account: many pay in, few are paid, and the money stays for days only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from detection.typologies.slices import SLICES, Slices
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import MOST_PAYEES, MOST_PAYERS, CollectionAccount
from schemas.documents.typology import DAY_MS

EVIDENCE: Final = 40
"""Newest movements that are kept for evidence."""


class Collected(msgspec.Struct, gc=False, array_like=True):
    """An account. payers, payees: the newest distinct ones, no more than can matter, each with the start of
    the slice in which it was last seen, the oldest first.   seqs: the newest movements.
    """

    money: Slices
    payers: dict[str, int] = {}
    payees: dict[str, int] = {}
    seqs: list[int] = []

    def witness(self, seq: int) -> None:
        """A movement more."""
        self.seqs.append(seq)
        if len(self.seqs) > EVIDENCE:
            del self.seqs[0]


def seen(others: dict[str, int], one: str, start: int, most: int) -> None:
    """Note the newest of the others, and forget the oldest where there are more than can matter."""
    if others.get(one) == start:
        return
    others.pop(one, None)
    others[one] = start
    if len(others) > most:
        del others[next(iter(others))]


class CollectionAccountFold(Fold[CollectionAccount, Recent[Collected]]):
    """See the parameters. The window is one of slices, see `Slices`. After an alert the account begins
    anew.
    """

    name = "collection_account"
    State: ClassVar[Any] = Recent[Collected]

    def __init__(
        self, setting: CollectionAccount, version: int, state: Recent[Collected] | None = None
    ) -> None:
        super().__init__(setting, version, state)
        self._slice_ms = setting.within_days * DAY_MS // SLICES
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
            into = state.young.get(flow.target) or state.find(flow.target, at, self._keep_ms)
            if into is None:
                into = state.young[flow.target] = Collected(Slices())
            elif 0 <= into.money.oldest < start - self._window_ms:
                into.money.forget(start - self._window_ms)
            into.money.add(start, at, flow.amount, 0)
            seen(into.payers, flow.source_party or flow.outside or flow.source, start, MOST_PAYERS)
            into.witness(flow.seq)
        if not flow.source_party:
            return NOTHING
        out_of = state.young.get(flow.source) or state.find(flow.source, at, self._keep_ms)
        return NOTHING if out_of is None else self._left(out_of, flow, start, least, who)

    def _left(
        self, collected: Collected, flow: Flow, start: int, least: int, who: Directory
    ) -> Sequence[Alert]:
        money, setting = collected.money, self.setting
        oldest = start - self._window_ms
        money.forget(oldest)
        if not money.came_in or (self._channels and flow.channel not in self._channels):
            return NOTHING
        money.add(start, flow.at, 0, flow.amount)
        seen(collected.payees, flow.target_party or flow.outside or flow.target, start, MOST_PAYEES)
        collected.witness(flow.seq)
        came, went = money.came_in, money.went_out
        if (
            came < least
            or len(collected.payers) < setting.payers
            or went * 1_000 < setting.share * came
            or (setting.left is not None and flow.source_after * 1_000 > setting.left * came)
        ):
            return NOTHING
        payers = sum([last >= oldest for last in collected.payers.values()])
        payees = sum([last >= oldest for last in collected.payees.values()])
        if payers < setting.payers or payees > setting.payees or not self.concerns(flow.source, who):
            return NOTHING
        made = self.alert(
            flow,
            party=flow.source_party,
            account=flow.source,
            what=collected.seqs[0],
            first_at=money.began,
            seqs=collected.seqs,
            amount=came,
            confidence=min(over(came, least), over(payers, setting.payers)),
            figures={
                "came_in": came,
                "least": least,
                "went_out": went,
                "left": flow.source_after,
                "payers": payers,
                "least_payers": setting.payers,
                "payees": payees,
            },
            words="Many pay into the account, few are paid from it, and the money stays for days only.",
        )
        del self.state.young[flow.source]
        return (made,)

"""Spike: an amount that is far from what the account has moved before, in exact integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_amounts import Spike
from schemas.documents.typology import DAY_MS


class History(msgspec.Struct, gc=False, array_like=True):
    """Count, sum and sum of squares of earlier amounts, of the period that runs and of the one before it.

    until: when the period ends.   told_at: of the last alert.   seq, at: of the newest amount.   first,
    first_before: the seq of the first amount of each period.
    """

    until: int
    count: int = 0
    total: int = 0
    squares: int = 0
    count_before: int = 0
    total_before: int = 0
    squares_before: int = 0
    told_at: int = 0
    seq: int = 0
    at: int = 0
    first: int = 0
    first_before: int = 0

    def turn(self, at: int, period_ms: int) -> None:
        """A new period begins; the one before is kept if the new one follows it."""
        if at < self.until + period_ms:
            self.count_before, self.total_before, self.squares_before = self.count, self.total, self.squares
            self.first_before = self.first
        else:
            self.count_before = self.total_before = self.squares_before = 0
        self.count = self.total = self.squares = 0
        self.until = at + period_ms

    def add(self, amount: int, seq: int) -> None:
        """An amount more."""
        if not self.count:
            self.first = seq
        self.count += 1
        self.total += amount
        self.squares += amount * amount

    def take_back(self, amount: int, seq: int) -> None:
        """Let go an amount, from the period that it is part of; nothing, where that is long gone."""
        if seq >= self.first:
            if self.count:
                self.count -= 1
                self.total -= amount
                self.squares -= amount * amount
        elif seq >= self.first_before and self.count_before:
            self.count_before -= 1
            self.total_before -= amount
            self.squares_before -= amount * amount


class SpikeFold(Fold[Spike, Recent[History]]):
    """By account, over all amounts of one side; history reaches back between one and two periods.

    With n earlier amounts, their sum S and sum of squares Q, an amount x is k deviations above the mean where
    (n x - S)^2 >= k^2 (n Q - S^2). The deviation counts as a tenth of the mean at least: whoever always pays
    the same is not to be told of a cent. After an alert it is quiet for a day.
    """

    name = "spike"
    State: ClassVar[Any] = Recent[History]

    def __init__(self, setting: Spike, version: int, state: Recent[History] | None = None) -> None:
        super().__init__(setting, version, state)
        self._period_ms = setting.history_days * DAY_MS
        self._is_in = setting.side == "in"
        self._squared = setting.deviations * setting.deviations

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        party, account = (flow.target_party, flow.target) if self._is_in else (flow.source_party, flow.source)
        if not party or (self._channels and flow.channel not in self._channels):
            return NOTHING
        at, amount = flow.at, flow.amount
        history = self.state.find(account, at, self._period_ms)
        if history is None:
            history = self.state.young[account] = History(at + self._period_ms)
        elif at >= history.until:
            history.turn(at, self._period_ms)
        count = history.count + history.count_before
        found: Sequence[Alert] = NOTHING
        if count >= self.setting.earlier:
            total = history.total + history.total_before
            above = amount * count - total
            if above > 0:
                spread = 100 * (count * (history.squares + history.squares_before) - total * total)
                if 100 * above * above >= self._squared * max(spread, total * total):
                    found = self._spike(flow, who, party, account, history)
        history.add(amount, flow.seq)
        history.seq, history.at = flow.seq, at
        return found

    def _spike(
        self, flow: Flow, who: Directory, party: str, account: str, history: History
    ) -> Sequence[Alert]:
        at, amount = flow.at, flow.amount
        least = self.setting.least.get(flow.currency)
        if least is None or amount < least or (history.told_at and at < history.told_at + DAY_MS):
            return NOTHING
        if not self.concerns(account, who):
            return NOTHING
        count = history.count + history.count_before
        total = history.total + history.total_before
        history.told_at = at
        made = self.alert(
            flow,
            party=party,
            account=account,
            what=flow.seq,
            first_at=history.at,
            seqs=(history.seq, flow.seq),
            amount=amount,
            confidence=over(amount * count, 2 * total),
            figures={
                "earlier": count,
                "mean": total // count,
                "amount": amount,
                "deviations": self.setting.deviations,
                "least": least,
            },
            words=f"An amount is more than {self.setting.deviations} standard deviations above the mean of "
            f"{count} earlier ones.",
        )
        return (made,)

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`: the amount is no part of the history any more, where it still was.

        It stays where nobody can say whether it was: where the seq is not known, or where only some channels
        are looked at, since what comes back does not name the one by which it went.
        """
        history = self.state.peek(flow.target if self._is_in else flow.source)
        if history is not None and flow.seq and not self._channels:
            history.take_back(flow.amount, flow.seq)

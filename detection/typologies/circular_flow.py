"""Circular flow: money of about the same amount comes back to where it left, through others, within days.

Each movement asks whether it closes a circle: backwards from who pays, over what they received before it, to
who is paid. The work for a movement is bounded: of what a party received the newest `degree` are looked at, a
path is at most `depth` long, and no more than `MOST_STEPS` receipts are looked at in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import CircularFlow
from schemas.documents.typology import HOUR_MS
from schemas.fields import INT64_MAX

MOST_STEPS: Final = 256
"""Receipts that a movement looks at, at most. What lies behind them is not found."""


class Receipt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Money that a party was paid. payer: a party, or the key of an account outside behind a line feed."""

    payer: str
    amount: int
    at: int
    seq: int
    currency: str


class Place(msgspec.Struct, gc=False, array_like=True):
    """A party, or an account outside. receipts: what it was paid, oldest first.   sent_at: when it last
    paid.
    """

    receipts: list[Receipt] = []
    sent_at: int = -1


class Search:
    """One search for a way back to the origin. The newest receipts are tried first, so that it is always the
    same way that is found.

    way: the receipts so far, the newest first, each with whose it is; empty where there is no way.
    looked_at: how many receipts.
    """

    def __init__(
        self,
        places: Recent[Place],
        origin: str,
        after: int,
        *,
        currency: str,
        fewest: int,
        most: int,
        through: int,
        depth: int,
    ) -> None:
        self.way: list[tuple[str, Receipt]] = []
        self._places = places
        self._origin = origin
        self._after = after
        self._currency = currency
        self._fewest, self._most = fewest, most
        self._through, self._depth = through, depth
        self.looked_at = 0

    def back(self, party: str, before: int) -> bool:
        """Whether the party was paid, before that seq, money that had left the origin."""
        place = self._places.peek(party)
        if place is None:
            return False
        way = self.way
        parties = len(way) + 2
        for one in reversed(place.receipts):
            if one.at < self._after or self.looked_at == MOST_STEPS:
                return False
            self.looked_at += 1
            if one.seq >= before or one.currency != self._currency:
                continue
            if not self._fewest <= one.amount <= self._most:
                continue
            way.append((party, one))
            if one.payer == self._origin:
                if parties >= self._through:
                    return True
            elif (
                parties < self._depth
                and all(one.payer != paid for paid, _ in way)
                and self.back(one.payer, one.seq)
            ):
                return True
            way.pop()
        return False


class CircularFlowFold(Fold[CircularFlow, Recent[Place]]):
    """See the parameters. A movement is part of one circle: those of an alert are forgotten.

    The accounts of a party are one place, so that money which somebody moves between their own is no circle.
    The bank's own accounts are none: what goes through them is mixed.
    """

    name = "circular_flow"
    State: ClassVar[Any] = Recent[Place]

    def __init__(self, setting: CircularFlow, version: int, state: Recent[Place] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_hours * HOUR_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        least = self.setting.least.get(flow.currency)
        if least is None or flow.amount < least:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        payer = flow.source_party if flow.source else flow.outside and f"\n{flow.outside}"
        payee = flow.target_party if flow.target else flow.outside and f"\n{flow.outside}"
        if not payer or not payee:
            return NOTHING
        at, state = flow.at, self.state
        after = at - self._within_ms
        paying = state.find(payer, at, self._within_ms)
        if paying is None:
            paying = state.young[payer] = Place()
        paid = state.find(payee, at, self._within_ms)
        if paid is None:
            paid = state.young[payee] = Place()
        if paid.sent_at >= after and paying.receipts:
            search = self.search(payee, flow.amount, flow.currency, after)
            if search.back(payer, INT64_MAX):
                circle = search.way[::-1]
                for place, receipt in circle:
                    found = state.peek(place)
                    assert found is not None, "a place is kept as long as its receipts count"
                    found.receipts.remove(receipt)
                if not self.concerns(flow.target or flow.source, who):
                    return NOTHING
                return (self._alert(flow, least, [receipt for _, receipt in circle]),)
        paying.sent_at = at
        receipts = paid.receipts
        receipts.append(Receipt(payer, flow.amount, at, flow.seq, flow.currency))
        while receipts[0].at < after or len(receipts) > self.setting.degree:
            del receipts[0]
        return NOTHING

    def taken_back(self, flow: Flow) -> None:
        """See `Typology.taken_back`."""
        payee = flow.target_party if flow.target else f"\n{flow.outside}"
        paid = self.state.peek(payee)
        if paid is not None:
            paid.receipts = [one for one in paid.receipts if one.seq != flow.seq]

    def search(self, origin: str, amount: int, currency: str, after: int) -> Search:
        """A search for the way by which money of such an amount, in this currency, came from the origin."""
        similar = 1_000 - self.setting.similar
        return Search(
            self.state,
            origin,
            after,
            currency=currency,
            fewest=-(-amount * similar // 1_000),
            most=amount * 1_000 // similar if similar else INT64_MAX,
            through=self.setting.through,
            depth=self.setting.depth,
        )

    def _alert(self, flow: Flow, least: int, circle: list[Receipt]) -> Alert:
        parties = len(circle) + 1
        party, account = (
            (flow.target_party, flow.target) if flow.target_party else (flow.source_party, flow.source)
        )
        return self.alert(
            flow,
            party=party,
            account=account,
            what=circle[0].seq,
            first_at=circle[0].at,
            seqs=[*(receipt.seq for receipt in circle), flow.seq],
            amount=flow.amount,
            confidence=over(flow.amount, least),
            figures={
                "parties": parties,
                "least_parties": self.setting.through,
                "left": circle[0].amount,
                "came_back": flow.amount,
                "least": least,
                "hours": (flow.at - circle[0].at) // HOUR_MS,
            },
            words=f"Money of about the same amount came back to where it left, by way of {parties} parties.",
        )

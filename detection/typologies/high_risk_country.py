"""High-risk country: the first money that a party sends to a country on the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import HighRiskCountry
from schemas.documents.typology import DAY_MS


class HighRiskCountryFold(Fold[HighRiskCountry, Recent[int]]):
    """See the parameters. The country is the payee's: of the account outside, or of the party in the book.

    Its state is when a party last sent money to a country, by `party`, line feed, country.
    """

    name = "high_risk_country"
    State: ClassVar[Any] = Recent[int]

    def __init__(self, setting: HighRiskCountry, version: int, state: Recent[int] | None = None) -> None:
        super().__init__(setting, version, state)
        self._countries = frozenset(setting.countries)
        self._quiet_ms = setting.quiet_days * DAY_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        if flow.country not in self._countries or not flow.source_party:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        least = self.setting.least.get(flow.currency)
        if least is None or flow.amount < least or not self.concerns(flow.source, who):
            return NOTHING
        key = f"{flow.source_party}\n{flow.country}"
        last = self.state.find(key, flow.at, self._quiet_ms)
        self.state.young[key] = flow.at
        if last is not None and flow.at - last <= self._quiet_ms:
            return NOTHING
        return (
            self.alert(
                flow,
                party=flow.source_party,
                account=flow.source,
                what=flow.seq,
                first_at=flow.at,
                seqs=(flow.seq,),
                amount=flow.amount,
                confidence=over(flow.amount, least),
                figures={
                    "country": flow.country,
                    "as_of": self.setting.as_of,
                    "paid": flow.amount,
                    "least": least,
                },
                words=f"The first money that the customer sends to {flow.country}, which is on the list.",
            ),
        )

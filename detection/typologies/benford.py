"""Benford: the first digits of an account's payments do not come about as first digits do.

Amounts that have many causes and spread over several orders of magnitude begin with 1 three times in ten and
with 9 once in twenty. Amounts that somebody invents, or chooses to stay under something, do not. The test is
Pearson's chi-square, in whole numbers and exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from detection.flows import Directory, Flow
from detection.fold import NOTHING, Fold, Recent, over
from schemas.alerts import Alert
from schemas.documents.typologies_of_behaviour import Benford
from schemas.documents.typology import DAY_MS

SHARES: Final = (301_030, 176_091, 124_939, 96_910, 79_181, 66_947, 57_992, 51_153, 45_757)
"""Of a million amounts, how many begin with 1, 2 … 9: the logarithm to the base 10 of 1 + 1/digit."""
_MILLION: Final = 1_000_000
_ALL: Final = math.prod(SHARES)
_OTHERS: Final = tuple(_ALL // share for share in SHARES)
EVIDENCE: Final = 20
"""Newest payments that are kept for evidence; the alert tells of the first by its id and time."""


class Digits(msgspec.Struct, gc=False, array_like=True):
    """The payments of an account since it was last tested. counts: by first digit.   seqs: the newest."""

    first_at: int
    first_seq: int
    least: int
    most: int = 0
    payments: int = 0
    total: int = 0
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * 9)
    seqs: list[int] = []


def chi_square(counts: Sequence[int]) -> int:
    """How far the counts of the first digits are from Benford's law, in thousandths, rounded down. Exact: no
    step rounds but the last. At least one count is above zero.
    """
    payments = sum(counts)
    squares = sum(count * count * other for count, other in zip(counts, _OTHERS, strict=True))
    # The sum of count² / (payments · share), less the payments.
    return 1_000 * (squares * _MILLION - payments * payments * _ALL) // (payments * _ALL)


class BenfordFold(Fold[Benford, Recent[Digits]]):
    """See the parameters. Every `payments` payments of an account are tested, and then counted anew; those
    that took longer than they may are dropped.
    """

    name = "benford"
    State: ClassVar[Any] = Recent[Digits]

    def __init__(self, setting: Benford, version: int, state: Recent[Digits] | None = None) -> None:
        super().__init__(setting, version, state)
        self._within_ms = setting.within_days * DAY_MS

    def flow(self, flow: Flow, who: Directory) -> Sequence[Alert]:
        """See `Typology.flow`."""
        amount = flow.amount
        least = self.setting.least.get(flow.currency)
        if least is None or amount < least or not flow.source_party:
            return NOTHING
        if self._channels and flow.channel not in self._channels:
            return NOTHING
        digits = self.state.find(flow.source, flow.at, self._within_ms)
        if digits is None or flow.at - digits.first_at > self._within_ms:
            digits = self.state.young[flow.source] = Digits(flow.at, flow.seq, amount)
        digits.counts[ord(str(amount)[0]) - 49] += 1
        digits.payments += 1
        digits.total += amount
        digits.least = min(digits.least, amount)
        digits.most = max(digits.most, amount)
        digits.seqs.append(flow.seq)
        if len(digits.seqs) > EVIDENCE:
            del digits.seqs[0]
        return NOTHING if digits.payments < self.setting.payments else self._tested(digits, flow, who)

    def _tested(self, digits: Digits, flow: Flow, who: Directory) -> Sequence[Alert]:
        del self.state.young[flow.source]
        setting = self.setting
        if digits.most < setting.spread * digits.least:
            return NOTHING
        found = chi_square(digits.counts)
        if found < setting.chi_square or not self.concerns(flow.source, who):
            return NOTHING
        return (
            self.alert(
                flow,
                party=flow.source_party,
                account=flow.source,
                what=digits.first_seq,
                first_at=digits.first_at,
                seqs=digits.seqs,
                amount=digits.total,
                confidence=over(found, setting.chi_square),
                figures={
                    "payments": digits.payments,
                    "chi_square_thousandths": found,
                    "critical_thousandths": setting.chi_square,
                    **{f"begin_with_{digit}": count for digit, count in enumerate(digits.counts, 1)},
                },
                words=f"The first digits of {digits.payments} payments are not those of amounts that arise.",
            ),
        )

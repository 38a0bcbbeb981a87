"""Parameters of the typologies that look at how an account behaves and whether money goes in circles.

Each says where its defaults come from; the document that sets them says it of what it sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import annotated_types as at
from msgspec import Meta

from schemas.documents.document import Problem
from schemas.documents.typology import Amounts, Days, Hours, Parameters, PerMille
from schemas.fields import Label
from schemas.parties import Country

MOST_ONWARD = 50
MOST_PAYERS, MOST_PAYEES = 64, 17
"""How many are kept of an account: more than may be asked for."""


class RoundAmounts(Parameters, kw_only=True):
    """Of the last `payments` that leave an account, each of `units` or more and none older than
    `within_days`, at least `share` are whole multiples of `units`.

    Source: FFIEC BSA/AML Examination Manual, appendix F, red flags of funds transfers: many are sent in
    large, round dollar, hundred dollar or thousand dollar amounts. Hundreds are meant by `units`; how many
    make a habit is ours: where every second amount is round by itself, 18 of 20 come about once in 5,000
    times.
    """

    units: Amounts
    payments: Annotated[int, Meta(ge=5, le=64), at.Ge(5), at.Le(64)] = 20
    share: PerMille = 900
    within_days: Days = 90

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "units", self.units


class Layering(Parameters, kw_only=True):
    """`least` or more came in within `within_hours`, `share` of it has left again in `payments` or more, and
    no more than the rest is still there.

    Source: FFIEC BSA/AML Examination Manual, appendix F: almost immediately all or most of what came in is
    wired on. Three days and nine tenths are the figures that were asked for; `payments` is ours: one alone is
    pass-through.
    """

    least: Amounts
    within_hours: Hours = 72
    share: PerMille = 900
    left: PerMille | None = 100
    payments: Annotated[int, Meta(ge=1, le=MOST_ONWARD), at.Ge(1), at.Le(MOST_ONWARD)] = 2

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class NewAccountVelocity(Parameters, kw_only=True):
    """An account in its first `age_days` has made `payments` or more movements, and `turnover` or more has
    come in.

    Source: FATF, Virtual Assets Red Flag Indicators (September 2020), transactions concerning new users: much
    comes in when the relationship begins, and does not fit it. The figures are ours: a month, several wages.
    """

    turnover: Amounts
    age_days: Days = 30
    payments: Annotated[int, Meta(ge=2, le=10_000), at.Ge(2), at.Le(10_000)] = 10

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "turnover", self.turnover


class ProfileThenPayout(Parameters, kw_only=True):
    """Within `within_hours` of a change of the party's profile, a payment of `least` or more takes `share` of
    what was on the account.

    Source: FinCEN Advisory FIN-2011-A016, Account Takeover Activity (December 2011): changes to the profile
    of a customer, followed by transfers out of the account. Its figures are ours.
    """

    least: Amounts
    within_hours: Hours = 72
    share: PerMille = 500

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class CircularFlow(Parameters, kw_only=True):
    """Money of a similar amount comes back to the party from which it left, through `through` parties or more
    and at most `depth`, within `within_hours`, each step after the one before.

    similar: by how much the amount of a step may differ from the last one, per mille of the larger of the
    two. degree: of what a party received, the newest so many are looked at; what is older is not found.

    Source: FATF and Egmont Group, Trade-Based Money Laundering: Risk Indicators (March 2021), on payments
    that are routed in a circle. 72 hours and three are the figures that were asked for; the bounds are ours.
    """

    least: Amounts
    within_hours: Hours = 72
    through: Annotated[int, Meta(ge=2, le=8), at.Ge(2), at.Le(8)] = 3
    depth: Annotated[int, Meta(ge=2, le=8), at.Ge(2), at.Le(8)] = 6
    similar: PerMille = 200
    degree: Annotated[int, Meta(ge=1, le=64), at.Ge(1), at.Le(64)] = 16

    def problems(self, path: str) -> Iterator[Problem]:
        """A chain that has to be longer than it may be."""
        yield from super().problems(path)
        if self.through > self.depth:
            yield Problem(f"{path}.through", f"must be at most depth, which is {self.depth}")

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class HighRiskCountry(Parameters, kw_only=True):
    """A party sends `least` or more to one of the `countries`, for the first time in `quiet_days`.

    Source: the FATF's lists "High-Risk Jurisdictions subject to a Call for Action" and "Jurisdictions under
    Increased Monitoring". They change in February, June and October, so `countries` has no default: `as_of`
    says of which list they are, such as "FATF, 24 October 2025".
    """

    least: Amounts
    countries: Annotated[tuple[Country, ...], Meta(min_length=1, max_length=249), at.Len(1, 249)]
    as_of: Label
    quiet_days: Days = 365

    def problems(self, path: str) -> Iterator[Problem]:
        """No country, or one twice."""
        yield from super().problems(path)
        seen: set[str] = set()
        for index, country in enumerate(self.countries):
            if not country:
                yield Problem(f"{path}.countries[{index}]", "must not be empty")
            elif country in seen:
                yield Problem(f"{path}.countries[{index}]", "is named twice")
            seen.add(country)

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class Benford(Parameters, kw_only=True):
    """The first digits of `payments` payments of an account, the next ones each time, do not follow Benford's
    law.

    chi_square: the statistic from which on they do not, in thousandths; 8 degrees of freedom.   least:
    smaller payments are not counted.   spread: how many times the largest of them must be the smallest: the
    law holds for amounts over several orders of magnitude and says nothing of a payroll, whose wages lie
    close together.

    Source: F. Benford, The Law of Anomalous Numbers (1938); M. Nigrini, Benford's Law (Wiley, 2012); T. Hill,
    A Statistical Derivation of the Significant-Digit Law (1995). 26,125 is the chi-square that chance exceeds
    once in 1,000 times: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4. 50 payments are the least
    that was asked for; with 100 no more than one digit in five is expected fewer than 5 times, as W. Cochran
    (Biometrics 10, 1954) wants it. `spread` is ours.
    """

    least: Amounts
    payments: Annotated[int, Meta(ge=50, le=1_000), at.Ge(50), at.Le(1_000)] = 100
    chi_square: Annotated[int, Meta(ge=2_733, le=100_000), at.Ge(2_733), at.Le(100_000)] = 26_125
    spread: Annotated[int, Meta(ge=2, le=100_000), at.Ge(2), at.Le(100_000)] = 100
    within_days: Days = 180

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class CollectionAccount(Parameters, kw_only=True):
    """Within `within_days` an account was paid by `payers` or more, `least` or more in all, and pays `share`
    of it to at most `payees`.

    left: the balance is at most this then, per mille of what came in; whatever it is where there is none.

    Source: FFIEC BSA/AML Examination Manual, appendix F: many small transfers are received and almost
    immediately most of them wired on, in a manner that does not fit the customer. Its figures are ours.
    """

    least: Amounts
    within_days: Annotated[int, Meta(ge=1, le=31), at.Ge(1), at.Le(31)] = 14
    payers: Annotated[int, Meta(ge=3, le=MOST_PAYERS), at.Ge(3), at.Le(MOST_PAYERS)] = 12
    payees: Annotated[int, Meta(ge=1, le=16), at.Ge(1), at.Le(16)] = 3
    share: PerMille = 800
    left: PerMille | None = 200

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least

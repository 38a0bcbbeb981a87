"""Typologies: which patterns are looked for in a book, and by what figures."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.documents.document import Document, Problem
from schemas.documents.typologies_of_amounts import Aggregation, RepeatedAmounts, Spike, Structuring
from schemas.documents.typologies_of_behaviour import (
    Benford,
    CircularFlow,
    CollectionAccount,
    HighRiskCountry,
    Layering,
    NewAccountVelocity,
    ProfileThenPayout,
    RoundAmounts,
)
from schemas.documents.typologies_of_flow import DormantActive, FanIn, FanOut, PassThrough
from schemas.documents.typology import Parameters


class Typologies(Document):
    """One set of parameters for each typology that is to run; those without one don't.

    A typology stands in one document of a book only. It begins to look when its document takes effect.
    """

    structuring: Structuring | None = None
    aggregation: Aggregation | None = None
    pass_through: PassThrough | None = None
    fan_in: FanIn | None = None
    fan_out: FanOut | None = None
    dormant_active: DormantActive | None = None
    spike: Spike | None = None
    repeated_amounts: RepeatedAmounts | None = None
    round_amounts: RoundAmounts | None = None
    layering: Layering | None = None
    new_account_velocity: NewAccountVelocity | None = None
    profile_then_payout: ProfileThenPayout | None = None
    circular_flow: CircularFlow | None = None
    high_risk_country: HighRiskCountry | None = None
    benford: Benford | None = None
    collection_account: CollectionAccount | None = None

    def sets(self) -> Iterator[tuple[str, Parameters]]:
        """Those that it has, by the typology's name."""
        for name in self.__struct_fields__:
            found: Parameters | None = getattr(self, name)
            if found is not None:
                yield name, found

    def problems(self) -> Iterator[Problem]:
        """An empty document, and what is wrong with each set."""
        sets = tuple(self.sets())
        if not sets:
            yield Problem("", f"give at least one typology; there are {', '.join(self.__struct_fields__)}")
        for name, one in sets:
            yield from one.problems(name)

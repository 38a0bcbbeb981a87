"""Parameters of the typologies that go by where money comes from, where it goes, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schemas.documents.typology import Amounts, Days, Hours, Many, Parameters, PerMille


class PassThrough(Parameters, kw_only=True):
    """What comes in leaves again at once.

    share: per mille of what came in within `within_hours` that has left since.   least: what came in, at
    least, all together.   left: the balance is at most this then, per mille of what came in; whatever it is
    where that is not given.
    """

    least: Amounts
    share: PerMille = 900
    left: PerMille | None = None
    within_hours: Hours = 24

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class FanIn(Parameters, kw_only=True):
    """Many distinct payers of one account. count: so many within `within_days`, `least` all together."""

    least: Amounts
    count: Many = 10
    within_days: Days = 7

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class FanOut(Parameters, kw_only=True):
    """Many distinct payees of one account. count: so many within `within_days`, `least` all together."""

    least: Amounts
    count: Many = 10
    within_days: Days = 7

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least


class DormantActive(Parameters, kw_only=True):
    """An account that was quiet for `quiet_days` moves `least` or more within `within_days`."""

    least: Amounts
    quiet_days: Days = 180
    within_days: Days = 7

    def amounts(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """See `Parameters.amounts`."""
        yield "least", self.least

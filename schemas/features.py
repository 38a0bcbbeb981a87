"""The features that rules may ask for: each one's name, what it means, its unit, and what is kept for it.

A feature is one whole number about a movement at the moment it is decided, from what the book has seen. Where
it has no value (a ratio to a mean of nothing, the age of what never happened) it is `NONE`, and then no
comparison with it holds. `commands/features.py` reads them, `book/features/` keeps what they need.
"""

from __future__ import annotations

from typing import Literal

import msgspec

NONE = -1
"""The value of a feature that has none."""

Unit = Literal["minor", "count", "ms", "days", "per_mille", "minute", "km_per_hour", "yes_no", "score"]
"""yes_no: 1 or 0.   minor: minor units of the movement's currency.   minute: of the local day."""
About = Literal["movement", "account", "party", "payee", "device"]


class Feature(msgspec.Struct, frozen=True):
    """about: what it is a feature of.   keeps: the counters that `book/features/` keeps for it, by name."""

    name: str
    meaning: str
    unit: Unit
    about: About
    keeps: tuple[str, ...] = ()


FEATURES: dict[str, Feature] = {
    one.name: one
    for one in (
        Feature("amount", "the movement's amount", "minor", "movement"),
        Feature("local_minute", "the minute of the local day in which it is asked for", "minute", "movement"),
    )
}

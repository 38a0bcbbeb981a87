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


_MOVEMENT = (
    Feature("amount", "the movement's amount", "minor", "movement"),
    Feature("local_minute", "the minute of the local day in which it is asked for", "minute", "movement"),
    Feature("night", "whether that is before six in the morning", "yes_no", "movement"),
    Feature("weekend", "whether that is a Saturday or Sunday", "yes_no", "movement"),
    Feature(
        "round_hundreds",
        "whether the amount is a multiple of 100 units of its currency",
        "yes_no",
        "movement",
    ),
    Feature("round_thousands", "whether it is a multiple of 1,000 units", "yes_no", "movement"),
    Feature(
        "share_of_balance",
        "how much of what is booked and not held the movement takes; none where there is nothing",
        "per_mille",
        "movement",
    ),
    Feature(
        "overdraft_use",
        "how much of the account's overdraft is used with the movement; none where there is no overdraft",
        "per_mille",
        "movement",
    ),
)


def _windows(about: About, prefix: str, whose: str, spans: tuple[str, ...]) -> tuple[Feature, ...]:
    found: list[Feature] = []
    for span in spans:
        keeps = (f"{prefix}_{span}",)
        found += (
            Feature(f"{prefix}_count_{span}", f"how many {whose} in {SPANS[span]}", "count", about, keeps),
            Feature(f"{prefix}_sum_{span}", f"what {whose} come to in {SPANS[span]}", "minor", about, keeps),
        )
    return tuple(found)


SPANS = {"1h": "an hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
_WINDOWS = (
    *_windows(
        "account", "out", "movements out of the account, this one included,", ("1h", "24h", "7d", "30d")
    ),
    *_windows("account", "in", "credits to the account", ("24h", "7d")),
    *_windows(
        "party", "party_out", "movements out of the party's accounts, this one included,", ("24h", "7d")
    ),
    Feature(
        "passed_on_24h",
        "what left in 24 hours, this movement included, of what came in; none where nothing came in",
        "per_mille",
        "account",
        ("in_24h", "out_24h"),
    ),
)
_TIMES = (
    Feature("account_age_days", "for how long the account has been open", "days", "account"),
    Feature("party_age_days", "for how long the party has been known", "days", "party"),
    Feature(
        "profile_change_days", "how long ago the party's profile was changed; none if never", "days", "party"
    ),
    Feature(
        "since_last_out_ms",
        "how long ago the last movement out was; none if never",
        "ms",
        "account",
        ("last",),
    ),
    Feature(
        "since_last_in_ms", "how long ago the last credit was; none if never", "ms", "account", ("last",)
    ),
    Feature(
        "dormant_days",
        "for how long nothing has left or reached the account, as far as that was counted",
        "days",
        "account",
        ("last",),
    ),
)

FEATURES: dict[str, Feature] = {one.name: one for one in (*_MOVEMENT, *_WINDOWS, *_TIMES)}

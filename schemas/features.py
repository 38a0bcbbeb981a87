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

Unit = Literal[
    "minor", "count", "ms", "days", "per_mille", "minute", "km_per_hour", "yes_no", "score", "sigma"
]
"""yes_no: 1 or 0.   minor: minor units of the movement's currency.   minute: of the local day.
sigma: thousandths of a standard deviation.
"""
About = Literal["movement", "account", "party", "payee", "device"]


MOST_PAYEES = 48
MOST_RECENT = 32
MOST_DEVICES = 8
MOST_CHANNELS = 8
MOST_CORRIDORS = 16
MOST_COUNTRIES = 16
MOST_SHARING = 32
"""How many of each are remembered, the newest; what is counted among them is never more than that.

payees, devices, channels, corridors, countries: of an account.   recent: payments out of an account.
sharing: parties that pay one payee, or that use one device.
"""


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
    Feature(
        "declined_24h",
        "how many movements of the account rules have declined in 24 hours",
        "count",
        "account",
        ("declined_24h",),
    ),
    Feature(
        "failed_30d",
        "how often in 30 days a payment of the account has failed or was returned",
        "count",
        "account",
        ("failed_30d",),
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

_PAYEES = (
    *(
        Feature(
            f"distinct_payees_{span}",
            f"how many payees the account pays in {SPANS[span]}, this one included; at most {MOST_PAYEES}",
            "count",
            "account",
            ("payees",),
        )
        for span in ("24h", "7d", "30d")
    ),
    Feature(
        "new_payee",
        f"whether the payee is none of the {MOST_PAYEES} that the account paid last",
        "yes_no",
        "payee",
        ("payees",),
    ),
    Feature(
        "payee_known_days",
        "how long ago the account paid this payee first; none if it is new",
        "days",
        "payee",
        ("payees",),
    ),
    *(
        Feature(
            f"to_payee_count_{span}",
            f"how many of the account's {MOST_RECENT} newest payments went to this payee in {SPANS[span]}, "
            "and this one",
            "count",
            "payee",
            ("recent",),
        )
        for span in ("24h", "30d")
    ),
    Feature(
        "payee_payers_7d",
        f"how many parties of the book pay this payee in 7 days, this one included; at most {MOST_SHARING}",
        "count",
        "payee",
        ("payers",),
    ),
    Feature(
        "same_amount_24h",
        f"how many of the account's {MOST_RECENT} newest payments were of this amount in 24 hours, "
        "and this one",
        "count",
        "account",
        ("recent",),
    ),
    Feature(
        "payments_seen",
        "how many movements out the account's mean comes from",
        "count",
        "account",
        ("moments",),
    ),
    Feature(
        "amount_to_mean",
        "the amount in relation to the mean of all that left the account before; none where nothing did",
        "per_mille",
        "account",
        ("moments",),
    ),
    Feature(
        "amount_deviation",
        "how many standard deviations the amount is above that mean, in thousandths, 0 where it is below; "
        "none where all were equal or nothing left before",
        "sigma",
        "account",
        ("moments",),
    ),
)
_ORIGINS = (
    Feature(
        "new_channel",
        f"whether the account has paid by this channel, among its {MOST_CHANNELS} newest, never before; "
        "none without a channel",
        "yes_no",
        "account",
        ("channels",),
    ),
    Feature(
        "new_corridor",
        f"the same of the corridor, among {MOST_CORRIDORS}; none without one",
        "yes_no",
        "account",
        ("corridors",),
    ),
    Feature(
        "new_payee_country",
        f"the same of the country that the corridor leads to, among {MOST_COUNTRIES}; none without one",
        "yes_no",
        "account",
        ("payee_countries",),
    ),
    Feature(
        "new_country",
        f"the same of the country from which it is asked for, among {MOST_COUNTRIES}; none without one",
        "yes_no",
        "account",
        ("countries",),
    ),
    Feature(
        "country_speed",
        "how fast one had to travel from the country of the movement before to this one's, between their "
        "middles, in no less than a minute; none where one of them is not known",
        "km_per_hour",
        "account",
        ("country",),
    ),
    Feature(
        "new_device",
        f"whether the device is none of the {MOST_DEVICES} that the account used last; none without a device",
        "yes_no",
        "device",
        ("devices",),
    ),
    Feature(
        "device_age_days",
        "how long ago the account used the device first, 0 if it is new; none without a device",
        "days",
        "device",
        ("devices",),
    ),
    Feature(
        "device_parties_7d",
        f"how many parties of the book use the device in 7 days, this one included; at most {MOST_SHARING}; "
        "none without a device",
        "count",
        "device",
        ("device_parties",),
    ),
)

FEATURES: dict[str, Feature] = {
    one.name: one for one in (*_MOVEMENT, *_WINDOWS, *_TIMES, *_PAYEES, *_ORIGINS)
}

"""The rules that are measured: ten over a dozen features, and thirty over more than forty.

They are what a bank asks of payments of households, with bounds that some two in a hundred of the measured
movements reach, so that hits are weighed and noted, too. Nothing is declined: a refusal is cheaper, and would
flatter the figure.
"""

from __future__ import annotations

from typing import Any

from schemas.documents.conditions import comparisons
from schemas.documents.kinds import known
from schemas.documents.rules import Rules

CURRENCY = "EUR"


def _at_least(feature: str, value: int) -> dict[str, Any]:
    return {"feature": feature, "at_least": value}


def _below(feature: str, value: int) -> dict[str, Any]:
    return {"feature": feature, "below": value}


def _holds(feature: str) -> dict[str, Any]:
    return {"feature": feature, "holds": True}


def _all(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"all": list(parts)}


TEN: dict[str, dict[str, Any]] = {
    "large": _at_least("amount", 500_000),
    "large-at-night": _all(_at_least("amount", 100_000), _holds("night")),
    "often": _at_least("out_count_1h", 40),
    "much-in-a-day": _at_least("out_sum_24h", 1_000_000),
    "much-in-a-week": _at_least("out_sum_7d", 2_000_000),
    "young-and-large": _all(_below("account_age_days", 7), _at_least("amount", 99)),
    "profile-then-payout": _all(_below("profile_change_days", 3), _at_least("amount", 50_000)),
    "far-from-usual": _all(_at_least("payments_seen", 10), _at_least("amount_deviation", 4_000)),
    "emptied": _all(_at_least("share_of_balance", 900), _at_least("amount", 10_000)),
    "new-payee": _all(_holds("new_payee"), _at_least("amount", 98)),
}
THIRTY: dict[str, dict[str, Any]] = {
    **TEN,
    "round": _all(_holds("round_hundreds"), _at_least("out_count_24h", 20)),
    "round-thousands": _all(_holds("round_thousands"), _holds("new_payee")),
    "weekend": _all(_holds("weekend"), _at_least("out_sum_24h", 500_000)),
    "overdrawn": _all(_at_least("overdraft_use", 900), _at_least("out_count_7d", 20)),
    "month": {"any": [_at_least("out_count_30d", 500), _at_least("out_sum_30d", 5_000_000)]},
    "fan-in": _all(_at_least("in_count_24h", 30), _at_least("passed_on_24h", 900)),
    "received-much": {"any": [_at_least("in_sum_24h", 20_000_000), _at_least("in_sum_7d", 50_000_000)]},
    "received-often": _at_least("in_count_7d", 100),
    "party-day": {"any": [_at_least("party_out_count_24h", 120), _at_least("party_out_sum_24h", 2_000_000)]},
    "party-week": {"any": [_at_least("party_out_count_7d", 300), _at_least("party_out_sum_7d", 5_000_000)]},
    "declined-before": _at_least("declined_24h", 3),
    "failed-before": _all(_at_least("failed_30d", 3), _below("party_age_days", 30)),
    "in-and-out": _all(_below("since_last_in_ms", 50), _at_least("amount", 97)),
    "bursts": _all(_below("since_last_out_ms", 20), _at_least("same_amount_24h", 3)),
    "dormant": _all(_at_least("dormant_days", 90), _at_least("share_of_balance", 500)),
    "many-payees": {
        "any": [
            _at_least("distinct_payees_24h", 30),
            _at_least("distinct_payees_7d", 60),
            _at_least("distinct_payees_30d", 90),
        ]
    },
    "mule": _all(_at_least("payee_payers_7d", 30), _holds("new_payee")),
    "same-payee": _all(_at_least("to_payee_count_24h", 5), _at_least("amount_to_mean", 1_500)),
    "new-ways": _all(_holds("new_channel"), _holds("new_corridor"), _holds("new_payee_country")),
    "device": {
        "any": [
            _at_least("device_parties_7d", 50),
            _all(_holds("new_device"), _holds("new_country"), _at_least("country_speed", 900)),
        ]
    },
}


def body(conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A document of these rules: live, with thresholds that no movement here reaches."""
    rules = [{"id": name, "when": when, "points": 10} for name, when in conditions.items()]
    return {"currency": CURRENCY, "rules": rules, "thresholds": {"review": 60, "decline": 90}}


RULES: dict[str, dict[str, Any]] = {"rules-10": body(TEN), "rules-30": body(THIRTY)}


def features(told: dict[str, Any]) -> set[str]:
    """The features that a document asks for."""
    rules = known("rules", told)
    assert isinstance(rules, Rules), "its kind says so"
    return {one.feature for rule in rules.rules for _, one in comparisons(rule.when, "") if one.feature}


assert len(TEN) == 10, "as it is called"
assert len(THIRTY) == 30, "as it is called"
assert len(features(RULES["rules-30"])) >= 40, "over forty features"

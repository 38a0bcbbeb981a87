"""The documents of the demo's month at the risk desk, as their bodies."""

from __future__ import annotations

from typing import Any, Final

HOUR_MS: Final = 3_600_000
RAIL: Final[dict[str, Any]] = {
    "name": "SEPA credit transfers",
    "adapter": "sepa-gate",
    "currencies": [
        {"currency": "EUR", "nostro": "nostro", "in_transit": "sepa-transit", "suspense": "sepa-suspense"}
    ],
}


def rules(decline: int) -> dict[str, Any]:
    """Rules for payments. decline: from which score on they are declined."""
    return {
        "currency": "EUR",
        "only": {"movements": ["payment_out"]},
        "thresholds": {"review": 50, "decline": decline},
        "reviews": {"within_ms": 4 * HOUR_MS, "then": "decline", "a_day": 40},
        "caps": [{"group": "unusual", "most": 50}],
        "rules": [
            {
                "id": "new-payee",
                "why": "money that is lost goes to somebody new",
                "when": {"feature": "new_payee", "holds": True},
                "points": 20,
            },
            {
                "id": "far-above-norm",
                "why": "more than three deviations above what the account pays",
                "when": {
                    "all": [
                        {"feature": "payments_seen", "at_least": 5},
                        {"feature": "amount_deviation", "at_least": 3_000},
                    ]
                },
                "group": "unusual",
                "points": 35,
            },
            {
                "id": "empties-account",
                "why": "an account that was taken over is emptied",
                "when": {"feature": "share_of_balance", "at_least": 800},
                "group": "unusual",
                "points": 35,
            },
            {
                "id": "new-device-at-night",
                "when": {
                    "all": [{"feature": "night", "holds": True}, {"feature": "new_device", "holds": True}]
                },
                "points": 25,
            },
            {
                "id": "mule",
                "why": "banks together have seen many pay this account",
                "when": {"flag": "mule", "of": "payee", "at_least": 700},
                "stop": True,
            },
        ],
    }


CASES: Final[dict[str, Any]] = {
    "hours": {"time_zone": "Europe/Berlin", "opens": "08:00", "closes": "18:00"},
    "teams": [{"id": "risk", "members": [{"user": "carla"}, {"user": "dario"}], "capacity_per_day": 40}],
    "kinds": [
        {
            "kind": "fraud",
            "alerts": ["payments/*"],
            "clocks": [{"first_touch_m": 60, "resolution_m": 480}],
        },
        {
            "kind": "aml",
            "clocks": [{"first_touch_m": 480, "resolution_m": 4_800}],
        },
    ],
}
ANALYST: Final = (
    "TakeNextCase",
    "ProposeDecision",
    "ConfirmDecision",
    "RefuseDecision",
    "ReleasePayment",
    "DeclinePayment",
    "EscalateReview",
    "BlockAccount",
)
"""What the risk desk may do."""

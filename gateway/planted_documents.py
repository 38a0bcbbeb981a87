"""The figures that planted patterns and the bench of quality go by: a document of typologies for a bank in
EUR.

Each set says where its figures come from. What is `ours` is a place to begin: a bank measures on its own
history.
"""

from __future__ import annotations

from typing import Any, Final

BLACK: Final = ("IR", "KP", "MM")
"""FATF, High-Risk Jurisdictions subject to a Call for Action, 24 October 2025."""
GREY: Final = (
    *("AO", "BG", "BO", "CD", "CI", "CM", "DZ", "HT", "KE", "LA"),
    *("LB", "MC", "NA", "NP", "SS", "SY", "VE", "VG", "VN", "YE"),
)
"""FATF, Jurisdictions under Increased Monitoring, 24 October 2025."""
FFIEC: Final = "FFIEC BSA/AML Examination Manual, appendix F (red flags)"

TYPOLOGIES: Final[dict[str, dict[str, Any]]] = {
    "structuring": {
        "source": "Regulation (EU) 2024/1624, article 80: EUR 10,000 in cash; how near is ours",
        "threshold": {"EUR": 10_000_00},
        "channels": ["cash"],
    },
    "aggregation": {
        "source": "31 CFR 1010.313(b): several in one day are one; Regulation (EU) 2024/1624, article 80",
        "threshold": {"EUR": 10_000_00},
        "channels": ["cash"],
        "count": 3,
    },
    "pass_through": {
        "source": f"{FFIEC}: almost immediately most of it is wired on; the amount is ours",
        "least": {"EUR": 2_000_00},
        "left": 200,
    },
    "fan_in": {
        "source": "Europol, European Money Mule Action: many pay one account; figures ours",
        "least": {"EUR": 2_000_00},
    },
    "fan_out": {
        "source": "Europol, European Money Mule Action: one account pays many; figures ours",
        "least": {"EUR": 2_000_00},
    },
    "dormant_active": {
        "source": f"{FFIEC}: a dormant account suddenly has much activity; figures ours",
        "least": {"EUR": 2_000_00},
    },
    "spike": {
        "source": "three deviations: W. Shewhart, Economic Control of Quality (1931); the amount is ours",
        "least": {"EUR": 1_000_00},
    },
    "repeated_amounts": {
        "source": f"{FFIEC}: transfers are repetitive or show unusual patterns; figures ours",
        "least": {"EUR": 200_00},
    },
    "round_amounts": {
        "source": f"{FFIEC}: sent in round hundreds or thousands; 18 of 20 is ours",
        "units": {"EUR": 100_00},
    },
    "layering": {
        "source": f"{FFIEC}: almost immediately most of it is wired on; the amount is ours",
        "least": {"EUR": 2_000_00},
    },
    "new_account_velocity": {
        "source": "FATF, Virtual Assets Red Flag Indicators (2020), new users; figures ours",
        "turnover": {"EUR": 10_000_00},
    },
    "profile_then_payout": {
        "source": "FinCEN Advisory FIN-2011-A016, Account Takeover Activity; figures ours",
        "least": {"EUR": 1_000_00},
    },
    "circular_flow": {
        "source": "FATF and Egmont Group, TBML Risk Indicators (2021): routed in a circle; amounts ours",
        "least": {"EUR": 500_00},
    },
    "high_risk_country": {
        "source": "FATF, both lists of 24 October 2025; the amount is ours",
        "least": {"EUR": 100_00},
        "countries": sorted(BLACK + GREY),
        "as_of": "FATF, 24 October 2025",
    },
    "benford": {
        "source": "Nigrini, Benford's Law (2012); NIST e-Handbook 1.3.6.7.4: chi-square, 8 df, 0.001",
        "least": {"EUR": 1_00},
    },
    "collection_account": {
        "source": f"{FFIEC}: many small transfers come in and most is wired on; figures ours",
        "least": {"EUR": 2_000_00},
    },
}


DEMO: Final[dict[str, dict[str, Any]]] = {
    "dormant_active": {"quiet_days": 14},
    "new_account_velocity": {"age_days": 7},
}
"""What is other in a demo that is over in a month."""


def document(changed: dict[str, dict[str, Any]] | None = None, stage: str = "live") -> dict[str, Any]:
    """The body of the document. changed: by typology, fields that are to be others."""
    more = changed or {}
    return {name: {**one, "stage": stage, **more.get(name, {})} for name, one in TYPOLOGIES.items()}

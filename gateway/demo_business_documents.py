"""The documents of the demo's day in a bank, as their bodies."""

from __future__ import annotations

from typing import Any

TARIFF: dict[str, Any] = {
    "lines": [
        {
            "id": "transfer",
            "currency": "EUR",
            "income": "fee-income",
            "only": {"movements": ["transfer"]},
            "rate": "0.001",
            "least": 50,
            "most": 1_000,
        }
    ]
}
LIMITS: dict[str, Any] = {
    "lines": [
        {"id": "each", "measure": "amount", "most": 1_000_000, "window": "transaction", "currency": "EUR"},
        {"id": "day", "measure": "sum", "most": 2_500_000, "window": "day", "currency": "EUR"},
    ]
}
PRODUCT: dict[str, Any] = {
    "name": "Everyday account",
    "currencies": ["EUR"],
    "tariff": "everyday",
    "limits": ["everyday"],
    "interest": [
        {
            "currency": "EUR",
            "day_count": "ACT/365",
            "credit": {
                "tiers": [{"from_minor": 0, "rate": "0.02"}],
                "booked_on": "interest-paid",
                "accrued_on": "interest-accrued",
            },
        }
    ],
}
RAIL: dict[str, Any] = {
    "name": "SEPA credit transfers",
    "adapter": "sepa-gate",
    "currencies": [
        {"currency": "EUR", "nostro": "nostro", "in_transit": "sepa-transit", "suspense": "sepa-suspense"}
    ],
    "cut_off": "16:30",
}
SUSPENSE: dict[str, Any] = {"accounts": {"EUR": "suspense"}, "owner": "anna"}
RATES: dict[str, Any] = {
    "as_of": "2026-04-01",
    "scale": 6,
    "quote_valid_s": 120,
    "pairs": [{"base": "EUR", "quote": "USD", "mid": "1.0800", "margin": {"buy": "0.005", "sell": "0.005"}}],
    "positions": {"EUR": "position-eur", "USD": "position-usd"},
}
POLICY: dict[str, Any] = {
    "lines": [
        {"id": "raises", "commands": ["RaiseLimit"], "needs": [{"roles": ["administrator"]}]},
        {
            "id": "large",
            "commands": ["Transfer", "SubmitPayment"],
            "when": {"amounts": {"EUR": 1_500_000}},
            "needs": [{"roles": ["administrator"]}],
        },
    ]
}

"""Rules, lists and models in the domain's words, for stories. Amounts are cents."""

from __future__ import annotations

from typing import Any

from schemas.publishing import PublishDocument
from tests.story import Said, say


def rules(*some: dict[str, Any], name: str = "payments", version: int = 1, **body: Any) -> Said:
    """A document of rules: live, in EUR, reviewed from 50 points on and declined from 100 on."""
    points = sum(one.get("points", 0) for one in some if one.get("points", 0) > 0)
    thresholds = {"review": 50 if points >= 50 else None, "decline": 100 if points >= 100 else None}
    whole = {"currency": "EUR", "thresholds": thresholds, **body, "rules": list(some)}
    return say(PublishDocument, kind="rules", document=name, version=version, body=whole)


def rule(name: str, when: dict[str, Any], points: int = 0, **more: Any) -> dict[str, Any]:
    """A rule with points, or one that stops."""
    return {"id": name, "when": when, **({"points": points} if points else {}), **more}


def over(amount: int, **more: Any) -> dict[str, Any]:
    """The amount is at least this."""
    return {"feature": "amount", "at_least": amount, **more}


def listing(name: str, of: str, purpose: str, *entries: str, version: int = 1, **until_ms: int) -> Said:
    """A list. until_ms: by entry."""
    told = [{"id": one, **({"until_ms": until_ms[one]} if one in until_ms else {})} for one in entries]
    body = {"purpose": purpose, "of": of, "entries": told}
    return say(PublishDocument, kind="list", document=name, version=version, body=body)


def model(name: str, version: int = 1, **body: Any) -> Said:
    told = {
        "name": name.title(),
        "trained_on": "payments of 2023",
        "made_by": "data science",
        "approved_by": "model risk",
        "role": "champion",
        **body,
    }
    return say(PublishDocument, kind="model", document=name, version=version, body=told)


def barred_channel() -> Said:
    """Whatever comes by the channel `barred` is declined."""
    return rules(rule("barred", over(1), stop=True, only={"channels": ["barred"]}), name="channels")

"""What puts rules, lists and models into force. What was assessed changes nothing here: the event says it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from book.features.keeping import keep
from book.ruling import ListInForce, ModelInForce, RulesInForce
from book.state import Book
from schemas.documents.conditions import comparisons
from schemas.documents.lists import Listing
from schemas.documents.models import Model
from schemas.documents.rules import Rules
from schemas.risk import RiskAssessed


def rules_in_force(book: Book, document: str, body: Rules) -> None:
    """Movements are scored by these rules from here on. A document that is off is as if it were not there."""
    ruling = book.in_force.ruling
    if body.stage == "off":
        ruling.rules.pop(document, None)
    else:
        shelf = book.documents[f"rules/{document}"]
        ruling.rules[document] = RulesInForce(shelf.in_force, shelf.digest, body)
    ruling.key = _key(ruling.rules)
    keep(book, [one for in_force in ruling.rules.values() for one in features_of(in_force.body)])


def features_of(rules: Rules) -> Iterator[str]:
    """The features that rules ask for, as often as they do."""
    for rule in rules.rules:
        if rule.stage != "off":
            for _, one in comparisons(rule.when, ""):
                if one.feature:
                    yield one.feature


def _key(rules: dict[str, RulesInForce]) -> str:
    if not rules:
        return ""
    named = "\n".join(f"{name}\n{rules[name].version}\n{rules[name].digest}" for name in sorted(rules))
    return hashlib.blake2b(named.encode(), digest_size=16).hexdigest()


def list_in_force(book: Book, document: str, body: Listing) -> None:
    """Who stands on the list, and until when."""
    book.in_force.ruling.lists[document] = ListInForce(
        book.documents[f"list/{document}"].in_force,
        body.purpose,
        body.of,
        {one.id: one.until_ms or 0 for one in body.entries},
    )


def model_in_force(book: Book, document: str, body: Model) -> None:
    """Scores of this version are read, and of no other."""
    book.in_force.ruling.models[document] = ModelInForce(book.documents[f"model/{document}"].in_force, body)


def risk_assessed(book: Book, event: RiskAssessed) -> None:
    """It is noted for staff; nothing of the book's changes by it."""


EVOLVE: dict[type, Callable[[Book, Any], None]] = {RiskAssessed: risk_assessed}

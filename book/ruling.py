"""Rules, lists and models in force, as decisions look them up. It is data; what runs is made of it."""

from __future__ import annotations

import msgspec

from schemas.documents.models import Model
from schemas.documents.rules import Rules


class RulesInForce(msgspec.Struct, frozen=True):
    """A document of rules. digest: of its body."""

    version: int
    digest: str
    body: Rules


class ListInForce(msgspec.Struct, frozen=True):
    """A list. until_ms: when each of its entries ends, 0 for never, by what stands on it."""

    version: int
    purpose: str
    of: str
    until_ms: dict[str, int]


class ModelInForce(msgspec.Struct, frozen=True):
    """A model."""

    version: int
    body: Model


class Ruling(msgspec.Struct):
    """rules, lists, models: by the document's id.

    key: names the set of rules in force, so that what is made of them once is found again; empty for none.
    """

    key: str = ""
    rules: dict[str, RulesInForce] = {}
    lists: dict[str, ListInForce] = {}
    models: dict[str, ModelInForce] = {}

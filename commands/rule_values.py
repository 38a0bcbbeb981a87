"""What rules compare: features, and whether somebody stands on a list, is flagged, or was scored by a model.

Each is one whole number of a movement, or `NONE`. Rules name what they ask; here each gets its reader.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from book.flags import flags_of
from book.state import Book
from commands.features import READ, Read
from commands.movements import Movement
from schemas.documents.conditions import Comparison, Subject
from schemas.features import FEATURES, NONE
from schemas.payees import payee_key
from schemas.risk import Origin

KEYS_KEPT = 4_096


class Asked(NamedTuple):
    """What a comparison is about. kind: feature, on_list, flag or model.   of: whose.

    counted: of a model, whether the rule has a say; only one without may read a challenger.
    """

    kind: str
    name: str
    of: Subject | None = None
    counted: bool = True


def asked(one: Comparison, *, counted: bool) -> Asked:
    """What a comparison asks, for a rule that has a say or not."""
    if one.feature:
        return Asked("feature", one.feature)
    if one.on_list is not None:
        return Asked("on_list", one.on_list, one.of)
    if one.flag:
        return Asked("flag", one.flag, one.of)
    assert one.model is not None, "a comparison asks something"
    return Asked("model", one.model, None, counted)


def reader(what: Asked) -> Read:
    """What gives the number."""
    if what.kind == "feature":
        return READ[what.name]
    if what.kind == "model":
        return _model(what.name, what.counted)
    assert what.of is not None, "it is asked of somebody"
    return _on_list(what.name, what.of) if what.kind == "on_list" else _flag(what.name, what.of)


def cost(what: Asked) -> int:
    """Which of several to read first: what the movement says, what is looked up, what has to be counted."""
    if what.kind != "feature":
        return 1
    keeps = FEATURES[what.name].keeps
    if not keeps:
        return 0 if FEATURES[what.name].about == "movement" else 1
    return 2 if keeps[0] in QUICK else 3


QUICK = ("last", "moments", "declined_24h", "failed_30d")
"""Counters that are read at a glance."""

key_of_payee = functools.lru_cache(KEYS_KEPT)(payee_key)


def subject_of(book: Book, movement: Movement, origin: Origin | None, subject: Subject) -> str:
    """The id, key or country that stands for the subject in a movement; empty where there is none."""
    match subject:
        case "party":
            return movement.account.party
        case "account":
            return movement.account_id
        case "counterparty":
            return movement.counterparty if movement.counterparty in book.accounts else ""
        case "counterparty_party":
            account = book.accounts.get(movement.counterparty)
            return "" if account is None else account.party
        case "payee":
            return key_of_payee(movement.counterparty) if movement.counterparty else ""
        case "device":
            return "" if origin is None else origin.device
        case "party_country":
            party = movement.account.party
            return book.parties[party].country if party else ""
        case "payee_country":
            return movement.corridor.rpartition("-")[2]
        case "origin_country":
            return "" if origin is None else origin.country


def _on_list(name: str, subject: Subject) -> Read:
    def read(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        listed = book.in_force.ruling.lists.get(name)
        if listed is None:
            return 0
        until_ms = listed.until_ms.get(subject_of(book, movement, origin, subject))
        return int(until_ms is not None and (until_ms == 0 or at_ms < until_ms))

    return read


def _flag(name: str, subject: Subject) -> Read:
    kind = {"counterparty": "account", "counterparty_party": "party"}.get(subject, subject)

    def read(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        of = subject_of(book, movement, origin, subject)
        if not of:
            return NONE
        return next((one.score for one in flags_of(book, kind, of, at_ms) if one.flag == name), NONE)

    return read


def _model(name: str, counted: bool) -> Read:
    def read(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        if origin is None:
            return NONE
        model = book.in_force.ruling.models.get(name)
        if model is None or (counted and model.body.role != "champion"):
            return NONE
        for one in origin.scores:
            if one.model == name and one.version == model.version:
                return one.score if model.body.lowest <= one.score <= model.body.highest else NONE
        return NONE

    return read

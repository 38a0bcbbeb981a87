"""Risk of a movement of money: what is known of where it was asked for, and what the rules made of it.

All of it is for staff: whoever is looked at must never learn of it (tipping-off), so nothing here is public.
"""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
import msgspec
from msgspec import Meta

from schemas.documents.document import DocumentId
from schemas.fields import Label
from schemas.message import Event, Value
from schemas.parties import Country

HIGHEST_SCORE = 1_000
Score = Annotated[int, Meta(ge=0, le=HIGHEST_SCORE), at.Ge(0), at.Le(HIGHEST_SCORE)]
"""How sure a model is, per mille. It is recorded as it came; nothing is computed from a model in here."""
Version = Annotated[int, Meta(ge=1, le=2**31 - 1), at.Ge(1), at.Le(2**31 - 1)]
Verdict = Literal["approve", "review", "decline"]


class ModelScore(Value):
    """What a model outside said. model, version: of its document."""

    model: DocumentId
    version: Version
    score: Score


class Origin(Value):
    """Where and with what a movement was asked for.

    device: an id of the device, as the channel knows it.   country: where it is, by its address.
    scores: of models that have looked at it before it was sent here.
    """

    device: Label = ""
    country: Country = ""
    scores: Annotated[tuple[ModelScore, ...], Meta(max_length=8), at.MaxLen(8)] = ()


class RuleHit(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A rule that applied. rule: `document/rule`.   points: what it gave.   stop: it declines by itself.

    counted: whether it had a say; a rule in shadow has none.
    """

    rule: str
    points: int
    stop: bool
    counted: bool


class Assessment(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one document of rules made of a movement.

    rules, version: the document.   score: all points that count, within their caps.   stage: of the document.
    verdict: by its thresholds, or `decline` by a rule that stops.   hits: the rules that applied.
    """

    rules: str
    version: int
    stage: Literal["live", "shadow"]
    score: int
    verdict: Verdict
    hits: tuple[RuleHit, ...] = ()


class RiskAssessed(Event, tag="RiskAssessed", omit_defaults=True):
    """A movement was let through or made to wait, and some rule applied. It follows the movement's event.

    What no rule applied to has none: what was looked at there, the log can be asked at any time.

    movement: the payment's id; empty for a transfer, which `of` names, the seq of the movement's event.
    verdict: what was done: the strictest of those that are live.   assessments: of each document that held.
    """

    movement: str
    of: int
    account: str
    party: str
    amount: int
    currency: str
    verdict: Verdict
    assessments: tuple[Assessment, ...]


class Declined(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What stands, as JSON, in `restricted` of a `declined` rejection. movement: as in `RiskAssessed`."""

    movement: str
    account: str
    party: str
    amount: int
    currency: str
    assessments: tuple[Assessment, ...]


COMMANDS = ()
EVENTS = (RiskAssessed,)

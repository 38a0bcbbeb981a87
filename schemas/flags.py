"""Flags: what somebody else has noticed about a party, an account, a payee or a device, until it expires.

Whoever looks at more than one book (the stream workers), a model, or a person raises them; rules read them
as features. They are for staff only.
"""

from __future__ import annotations

from typing import Annotated, Literal

import annotated_types as at
from msgspec import Meta

from schemas.fields import Id, Millis, NewId, Seq, Text
from schemas.message import Command, Event, Value
from schemas.risk import ModelScore, Score

FlagSubject = Literal["party", "account", "payee", "device"]
"""payee: by its key, see `schemas/payees.py`, so that a flag holds no personal data."""


class Seen(Value):
    """An event that is evidence. Anyone who may read the book's log can look it up."""

    book: Id
    seq: Seq


Evidence = Annotated[tuple[Seen, ...], Meta(max_length=100), at.MaxLen(100)]


class RaiseFlag(Command, tag="RaiseFlag"):
    """Mark a subject until a time. Raising a flag that stands only moves its expiry and its score.

    flag: which, such as `mule` or `many_books`.   score: how sure, per mille.   model: whose score it is, if
    a model's: the document must be in force.   An expiry before the one that stands does not shorten it.
    """

    subject: FlagSubject
    of: Id
    flag: NewId
    expires_at_ms: Millis
    score: Score = 1_000
    model: ModelScore | None = None
    reason: Text = ""
    evidence: Evidence = ()


class ClearFlag(Command, tag="ClearFlag"):
    """Take a flag away before it expires."""

    subject: FlagSubject
    of: Id
    flag: NewId
    reason: Text


class FlagRaised(Event, tag="FlagRaised"):
    """A flag stands until a time. again: it stood already."""

    subject: FlagSubject
    of: str
    flag: str
    expires_at_ms: int
    score: int
    model: ModelScore | None
    reason: str
    evidence: tuple[Seen, ...]
    again: bool


class FlagCleared(Event, tag="FlagCleared"):
    """A flag was taken away."""

    subject: FlagSubject
    of: str
    flag: str
    reason: str


class FlagExpired(Event, tag="FlagExpired"):
    """A flag's time is over."""

    subject: FlagSubject
    of: str
    flag: str


COMMANDS = (RaiseFlag, ClearFlag)
EVENTS = (FlagRaised, FlagCleared, FlagExpired)

"""Limits that are higher for a while. Limits themselves are documents."""

from __future__ import annotations

from typing import Literal

from schemas.documents.document import DocumentId, LineId
from schemas.fields import Amount, Id, Millis, Text
from schemas.message import Command, Event

RaisedFor = Literal["account", "party"]


class RaiseLimit(Command, tag="RaiseLimit"):
    """Raise one limit for one account or party until a time. A raise takes the place of an earlier one.

    limits, line: the document and the line in it, which must count by account or party as `by` says.
    most: above what the document says: minor units, or a number.   until_ms: book time.
    """

    limits: DocumentId
    line: LineId
    by: RaisedFor
    holder: Id
    most: Amount
    until_ms: Millis
    reason: Text


class LimitRaised(Event, tag="LimitRaised"):
    """The limit `document/line` is `most` for this account or party. without: what the document says."""

    limit: str
    by: RaisedFor
    holder: str
    most: int
    without: int
    until_ms: int
    reason: str


class LimitRaiseExpired(Event, tag="LimitRaiseExpired"):
    """The limit is what its document says again."""

    limit: str
    by: RaisedFor
    holder: str


COMMANDS = (RaiseLimit,)
EVENTS = (LimitRaised, LimitRaiseExpired)

"""What an event on the log is to the streams, told from its bytes: quickly, since nearly all are nothing.

The worker that runs beside Kafka and the one of an embedded site both read events through this, so that they
cannot come to see different things. It keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from detection.sightings import LOOKED, Looked
from detection.statistics import OF_LABELS, Judgement
from engine.errors import LogCorrupt
from engine.reactor import ASKED_AGAIN
from schemas.cases import CaseClosed

MOVEMENTS: Final = frozenset(
    {"TransferPosted", "PaymentSubmitted", "ReceiptCredited", "CrossBookSent", "CrossBookReceived"}
)
"""What statistics take as a movement, when they say how many of them were hit."""


class Face(msgspec.Struct):
    """The part of any event that is looked at."""

    type: str
    book: str
    at: int
    actor: str = ""
    command: str = ""
    reason: str = ""


_face_of = msgspec.json.Decoder(Face).decode
_closed_of = msgspec.json.Decoder(CaseClosed).decode
_looked_of = msgspec.json.Decoder(Looked).decode


def face_of(value: bytes) -> Face:
    """Raises LogCorrupt."""
    try:
        return _face_of(value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LogCorrupt(f"An event cannot be decoded: {error}.") from error


def looked_at(face: Face, value: bytes) -> Any:
    """The event, where it is one that says something of a payee, device or party; else None.

    Raises LogCorrupt.
    """
    if face.type not in LOOKED:
        return None
    try:
        return _looked_of(value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LogCorrupt(f"An event cannot be decoded: {error}.") from error


def judgements(face: Face, value: bytes) -> Iterator[Judgement]:
    """What the event says of alerts, where a case is closed with it. Raises LogCorrupt."""
    if face.type != "CaseClosed":
        return
    try:
        closed = _closed_of(value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LogCorrupt(f"An event cannot be decoded: {error}.") from error
    right = OF_LABELS.get(closed.label)
    if right is not None:
        for one in closed.alerts:
            yield Judgement(one.kind, one.id, closed.at, right)


def answers(face: Face, actor: str) -> bool:
    """Whether the event is the last word on a command of the actor."""
    return (
        face.actor == actor
        and face.command != ""
        and not (face.type == "CommandRejected" and face.reason in ASKED_AGAIN)
    )

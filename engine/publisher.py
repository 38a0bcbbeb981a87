"""The publisher: the public record of each command, derived from its events. It keeps no state.

`schemas/outcomes.py` says what is public; here that is only brought to where it is read. The trace context
that the first event carries goes on to the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from engine.errors import LogCorrupt
from engine.log.records import Out, Record
from schemas.outcomes import decode_face, encode_outcome, outcome_of_faces
from schemas.tracing import carried

NAME: Final = "publisher"


class Publisher:
    """The derivation of the outcomes topic from the events."""

    def begin(self, position: int) -> int:
        """See `Derivation.begin`."""
        return position

    def derive(self, events: Sequence[Record]) -> list[Out]:
        """See `Derivation.derive`. Raises LogCorrupt where an event cannot be decoded."""
        return list(published(events))

    def kept(self, through: int) -> None:
        """See `Derivation.kept`."""


def published(events: Sequence[Record]) -> Iterator[Out]:
    """The record of each command that these events answer: whole pages, so that all of an outcome is there.

    Events that are a timer's or the engine's own answer no command.
    """
    faces: list[Any] = []
    first: Record | None = None
    cause, epoch = -1, 0
    for record in events:
        try:
            face: Any = decode_face(record.value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise LogCorrupt(f"The event at offset {record.offset} cannot be decoded: {error}.") from error
        if face.cause == cause and face.epoch == epoch:
            faces.append(face)
            continue
        if first is not None:
            yield _out(first, faces)
        cause, epoch = face.cause, face.epoch
        if cause < 0:
            first, faces = None, []
        else:
            first, faces = record, [face]
    if first is not None:
        yield _out(first, faces)


def _out(first: Record, faces: Sequence[Any]) -> Out:
    value = encode_outcome(outcome_of_faces(faces))
    return Out(first.key, value, carried(first.headers)) if first.headers else Out(first.key, value)

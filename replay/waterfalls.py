"""What the rules made of the movements that a case rests on, for its evidence pack: a file each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from engine.fold import Folded
from replay.answers import History
from replay.evidence import Evidence
from replay.explain import explained
from replay.scored import DECLINED, Found, NotScored, scored
from schemas.catalogue import decode_event
from schemas.rejections import CommandRejected
from schemas.risk import RiskAssessed

FOLDER: Final = "waterfalls/"
MOST: Final = 50
"""Of the oldest: each is a fold of the log up to there, and a case of more has its events all the same."""


def waterfalls(log: History, evidence: Evidence, folded: Folded | None = None) -> dict[str, bytes]:
    """By the file's name, which has the seq of the movement's event. folded: a state before all of them.

    What cannot be told any more, since its command is not stored, is left out.
    """
    state = folded or Folded()
    told = {}
    for movement in sorted(_scored(evidence), key=lambda one: one.offset)[:MOST]:
        try:
            explanation = explained(scored(log, state, movement))
        except NotScored:
            continue
        finally:
            state.offset = movement.offset - 1  # the state is the one just before it
        told[f"{FOLDER}{movement.event.seq}.json"] = msgspec.json.encode(explanation, order="sorted") + b"\n"
    return told


def _scored(evidence: Evidence) -> Iterator[Found]:
    """The movements of the case that some rule applied to, and those that were declined."""
    rows = zip(evidence.proof, evidence.events, strict=True)
    events = {
        row.seq: Found(row.offset, decode_event(value)) for row, value in rows if row.book == evidence.book
    }
    for found in events.values():
        event = found.event
        if isinstance(event, CommandRejected) and event.reason == DECLINED:
            yield found
        elif isinstance(event, RiskAssessed) and event.of in events:
            yield events[event.of]

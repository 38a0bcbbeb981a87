"""Words for stories about detection: what is watched for, and what was noticed in all that happened."""

from __future__ import annotations

from typing import Any

from detection.detector import Detector
from engine.derivation import Host, in_memory
from engine.log.memory import MemoryLog
from engine.log.records import BEFORE_FIRST
from schemas.alerts import Alert, decode_alert
from tests.story import Said, story
from tests.terms_words import document

SOURCE = "the figures of this test"


def watched(*, version: int = 1, name: str = "watch", at: int | None = None, **sets: dict[str, Any]) -> Said:
    """A document of typologies, live unless a set says otherwise."""
    body = {typology: {"source": SOURCE, "stage": "live", **one} for typology, one in sets.items()}
    more = {} if at is None else {"effective_from_ms": at}
    return document("typologies", name, body, version, **more)


def alerts_of(log: MemoryLog, *, at_once: int = 10_000) -> list[Alert]:
    """What a detector makes of a log that it reads from its beginning."""
    output = MemoryLog()
    reader = log.reader()
    host = Host(Detector(reader), reader, in_memory(output), at_once=at_once)
    while host.step():
        pass
    return [decode_alert(record.value) for record in output.events(BEFORE_FIRST)]


def noticed() -> list[Alert]:
    """All alerts of the story so far."""
    return alerts_of(story().log)


def kinds() -> list[tuple[str, str]]:
    """Of the alerts of the story: the typology and the account."""
    return [(one.kind, one.account) for one in noticed()]

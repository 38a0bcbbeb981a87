"""What the auditor goes by, and how it says what is wrong. Decoded by Python's own json, and nothing else."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.kafka.client import Seen

SYSTEM: Final = "~system"
"""The book that every partition has for what belongs to no other."""
REFUSED: Final = "CommandRejected"
REPEATED: Final = "CommandRepeated"

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
"""Rows of read models, by table."""


@dataclass(frozen=True, slots=True)
class Problem:
    """name: which promise is broken.   where: topic, partition and offset, or a row.   what: figures."""

    name: str
    where: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.name} at {self.where}{': ' + self.what if self.what else ''}"


@dataclass(frozen=True, slots=True)
class Said:
    """An event: the record, and what it says. page: counts the commits of its partition."""

    record: Seen
    says: dict[str, Any]
    partition: int
    page: int

    @property
    def type(self) -> str:
        return str(self.says["type"])

    @property
    def where(self) -> str:
        return f"events {self.partition}/{self.record.offset}"


@dataclass
class Evidence:
    """Records by partition, as committed.   written: what the loads wrote down.

    outcomes, rows: None where there is no publisher or projector to be audited.
    aborted: records of events that are there and that no reader of committed ones may see.
    open_transactions: partitions whose readers cannot get to the end.
    """

    commands: dict[int, list[Seen]]
    events: dict[int, list[Seen]]
    outcomes: dict[int, list[Seen]] | None = None
    rows: Rows | None = None
    written: list[dict[str, Any]] = field(default_factory=list)
    aborted: dict[int, list[Seen]] = field(default_factory=dict)
    open_transactions: list[str] = field(default_factory=list)


def decoded(value: bytes) -> dict[str, Any] | None:
    """A JSON object, or None where it is none."""
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def answers_of(events: Iterable[Said]) -> list[list[Said]]:
    """Events side by side that answer the same command; what answers nobody parts them."""
    runs: list[list[Said]] = []
    before = -1
    for event in events:
        cause = int(event.says.get("cause", -1))
        if cause >= 0:
            if cause == before:
                runs[-1].append(event)
            else:
                runs.append([event])
        before = cause
    return runs

"""An outcome as its caller may see it: accepted, rejected with the public reason and figures, or repeated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec

from schemas.approvals import ApprovalRequested
from schemas.catalogue import decode_event
from schemas.outcomes import FOR_STAFF
from schemas.rejections import CommandRejected, CommandRepeated, sentence
from schemas.withheld import told


class Outcome(msgspec.Struct, omit_defaults=True):
    """verdict: accepted, waiting (for the approval that `seq` names), rejected, or repeated (the command is
    known; `seq` is its first outcome's).

    seq: of the outcome's first event.   events: their types.   reason, figures: of a rejection.
    """

    id: str
    verdict: str
    seq: int
    book: str = ""
    events: tuple[str, ...] = ()
    reason: str = ""
    figures: dict[str, int | str] = {}

    @property
    def rejected(self) -> bool:
        """Whether the answer is, or was the first time, no."""
        return bool(self.reason)

    def fields(self) -> dict[str, Any]:
        """As JSON fields."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields

    def sentence(self) -> str:
        """One line for people."""
        if self.verdict == "waiting":
            return f"{self.id}  waiting  for approval {self.seq}"
        if self.verdict == "accepted":
            return f"{self.id}  accepted  {_counted(self.events)}, seq {self.seq}"
        if self.verdict == "repeated":
            again = f"rejected ({self.reason})" if self.reason else "accepted"
            return f"{self.id}  repeated  it was {again} before, seq {self.seq}"
        return f"{self.id or '?'}  rejected  {self.reason}: {sentence(self.reason, self.figures)}"


def _counted(events: Sequence[str]) -> str:
    """Types in their order, each run of one type as one: a bulk has thousands."""
    runs = [(name, len(list(same))) for name, same in groupby(events)]
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in runs)


def outcome_of(answer: Sequence[bytes]) -> Outcome:
    """Read a command's outcome from its events as stored."""
    events = [decode_event(value) for value in answer]
    first = events[0]
    if isinstance(first, CommandRejected):
        known = first.command or str(first.figures.get("id", ""))
        reason, figures = told(first.reason, first.figures)
        return Outcome(known, "rejected", first.seq, first.book, (), reason, figures)
    if isinstance(first, CommandRepeated):
        return Outcome(first.command, "repeated", first.first_seq, first.book, (), told(first.reason, {})[0])
    verdict = "waiting" if isinstance(first, ApprovalRequested) else "accepted"
    kinds = [type(event) for event in events]
    # What only staff may know of is named where it is all that was asked for, and beside nothing else.
    shown = [kind for kind in kinds if kind not in FOR_STAFF] or kinds
    return Outcome(first.command, verdict, first.seq, first.book, tuple(kind.__name__ for kind in shown))

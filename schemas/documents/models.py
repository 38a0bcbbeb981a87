"""Models that score movements outside: what one is, and who answers for it. Nothing here computes a score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from schemas.documents.document import Document, Problem
from schemas.fields import Text
from schemas.message import Date
from schemas.risk import HIGHEST_SCORE, Score


class Model(Document):
    """A model. Its scores are read of the version of this document that is in force, and of no other.

    trained_on: which data, of when.   trained_until: the last day of it.   made_by, approved_by: who answers.
    lowest, highest: the range of its scores, per mille; what lies outside is not read.
    role: a champion counts; a challenger is only read by rules in shadow.
    """

    name: Text
    trained_on: Text
    made_by: Text
    approved_by: Text
    role: Literal["champion", "challenger"]
    trained_until: Date | None = None
    lowest: Score = 0
    highest: Score = HIGHEST_SCORE

    def problems(self) -> Iterator[Problem]:
        """What cannot be meant."""
        for name in ("name", "trained_on", "made_by", "approved_by"):
            if not getattr(self, name).strip():
                yield Problem(name, "must not be empty")
        if self.lowest >= self.highest:
            yield Problem("highest", f"must be above lowest, which is {self.lowest}")
        if self.approved_by.strip() and self.approved_by.strip() == self.made_by.strip():
            yield Problem("approved_by", "must be somebody else than who made it")

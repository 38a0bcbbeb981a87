"""When what was not delivered is tried again: later and later, never all at the same moment, not for ever."""

from __future__ import annotations

import random
from typing import Final

import msgspec

HOUR_S: Final = 3_600.0


class Backoff(msgspec.Struct, frozen=True):
    """first_s: before the second attempt.   factor: by how much longer each time.   most_s: never longer.

    attempts: in all; then it is a dead letter.   seed: of the jitter, which takes up to half of each wait.
    By default: 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, 5 h 41 min, then 12 h each, three days in all.
    """

    first_s: float = 5.0
    factor: float = 4.0
    most_s: float = 12 * HOUR_S
    attempts: int = 12
    seed: str = "daybook"

    def wait_s(self, endpoint: str, message: str, attempt: int, told_s: float | None = None) -> float:
        """How long to wait after this attempt, 1 for the first. told_s: what the receiver asked for, which is
        honoured up to `most_s`.
        """
        whole = min(self.most_s, self.first_s * self.factor ** min(attempt - 1, 64))
        chance = random.Random(f"{self.seed}\n{endpoint}\n{message}\n{attempt}")  # noqa: S311 - no secret
        wait = whole * (1 - chance.random() / 2)
        return wait if told_s is None else max(wait, min(told_s, self.most_s))

"""What is known of the flags that stand."""

from __future__ import annotations

import msgspec


class Flag(msgspec.Struct, frozen=True, gc=False):
    """A flag that stands. score: how sure, per mille.   since_ms: when it was first raised, book time.

    issued_ms: when the newest command that raised it was made.
    """

    flag: str
    score: int
    since_ms: int
    expires_at_ms: int
    issued_ms: int = 0


class Cleared(msgspec.Struct, frozen=True, gc=False):
    """A flag that was taken away. cleared_ms: when, book time.   until_ms: when it would have been over."""

    cleared_ms: int
    until_ms: int


class Flags(msgspec.Struct):
    """of: the flags that stand on each subject, oldest first, by `subject_key`; none where there are none.

    standing: how many there are in all.
    cleared: what was taken away before its time, oldest first, by the id of the timer that would have ended
    it; until that time, so that nobody who says again what was said before brings it back.
    """

    of: dict[str, tuple[Flag, ...]] = {}
    standing: int = 0
    cleared: dict[str, Cleared] = {}


def subject_key(subject: str, of: str) -> str:
    """What flags stand on. No kind of subject holds a line feed."""
    return f"{subject}\n{of}"

"""What is known of the flags that stand."""

from __future__ import annotations

import msgspec


class Flag(msgspec.Struct, frozen=True, gc=False):
    """A flag that stands. score: how sure, per mille.   since_ms: when it was first raised, book time."""

    flag: str
    score: int
    since_ms: int
    expires_at_ms: int


class Flags(msgspec.Struct):
    """of: the flags that stand on each subject, oldest first, by `subject_key`; none where there are none.

    standing: how many there are in all.
    """

    of: dict[str, tuple[Flag, ...]] = {}
    standing: int = 0


def subject_key(subject: str, of: str) -> str:
    """What flags stand on. No kind of subject holds a line feed."""
    return f"{subject}\n{of}"

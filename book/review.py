"""What is known of a payment that waits for review."""

from __future__ import annotations

import msgspec

from schemas.reviews import OnTimeout


class Review(msgspec.Struct, frozen=True, gc=False):
    """A payment in review. maker, person: who asked for it, and who that is.

    since_ms: when it began to wait.   within_ms, then: how long it may wait, and what comes of it then.
    level: how often it was left to others.   left_by: the persons who did.
    """

    maker: str
    person: str
    since_ms: int
    within_ms: int
    then: OnTimeout
    level: int = 0
    left_by: tuple[str, ...] = ()

"""Which commands a book remembers, so that a retry gets its first outcome again and is never done twice.

Ids are forgotten in buckets of a 64th of the window, a bounded number at a time. Before the first id of a
bucket is forgotten, the floor rises to the newest issue time in it: at or below the floor an unknown id may
have been seen, and the only honest answer is `too_old`.
"""

from __future__ import annotations

import msgspec

BUCKETS = 64
FORGET_AT_ONCE = 128


class Seen(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """The first outcome of a command. reason: its rejection, or empty."""

    fingerprint: str
    seq: int
    reason: str


class Bucket(msgspec.Struct):
    """Commands decided in one slice of book time. newest_ms: the latest issue time among them."""

    start_ms: int
    newest_ms: int
    keys: list[str] = []


class Repeats(msgspec.Struct):
    """seen: by actor and id.   buckets: the same keys by age.   floor_ms: what is issued later is known."""

    window_ms: int
    cap: int
    floor_ms: int
    seen: dict[str, Seen] = {}
    buckets: list[Bucket] = []

    def remember(self, key: str, seen: Seen, at_ms: int, issued_ms: int) -> None:
        """Remember an outcome decided at book time `at_ms`, and forget a little of what is too old."""
        self.seen[key] = seen
        buckets = self.buckets
        bucket = buckets[-1] if buckets else None
        if bucket is None or at_ms - bucket.start_ms >= self.window_ms // BUCKETS:
            buckets.append(Bucket(at_ms, issued_ms, [key]))
        else:
            bucket.keys.append(key)
            if issued_ms > bucket.newest_ms:  # noqa: PLR1730 - max() would take a tenth of the time of all this
                bucket.newest_ms = issued_ms
        if len(buckets) > 1:
            self.age(at_ms)

    def age(self, at_ms: int) -> None:
        """Forget a little of what is older than the window at book time `at_ms`."""
        buckets = self.buckets
        if not buckets:
            return
        oldest = buckets[0]
        # A bucket ended where the next one began, or else when the next one would have.
        ended_ms = buckets[1].start_ms if len(buckets) > 1 else oldest.start_ms + self.window_ms // BUCKETS
        if ended_ms > at_ms - self.window_ms:
            return
        self.floor_ms = max(self.floor_ms, oldest.newest_ms)
        for key in oldest.keys[-FORGET_AT_ONCE:]:
            del self.seen[key]
        del oldest.keys[-FORGET_AT_ONCE:]
        if not oldest.keys:
            del buckets[0]


def key_of(actor: str, command_id: str) -> str:
    """The key under which a command is remembered. No actor that exists has a line feed in its id."""
    return f"{actor}\n{command_id}"

"""Ids that were used and may not be used again, as long as somebody could send them twice by mistake."""

from __future__ import annotations

import msgspec

REMEMBERED_MS = 400 * 86_400_000
"""More than a year, so that last year's file is known when this year's is sent."""


class KnownIds(msgspec.Struct):
    """ids: when each was used, oldest first."""

    ids: dict[str, int] = {}

    def add(self, one: str, at_ms: int) -> list[str]:
        """Remember the id, and forget up to two that are too old: those."""
        self.ids[one] = at_ms
        forgotten = [
            oldest
            for oldest, _ in zip(self.ids, range(2), strict=False)
            if self.ids[oldest] <= at_ms - REMEMBERED_MS
        ]
        for oldest in forgotten:
            del self.ids[oldest]
        return forgotten

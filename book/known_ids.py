"""Ids that were used and may not be used again, as long as somebody could send them twice by mistake."""

from __future__ import annotations

import msgspec

REMEMBERED_MS = 400 * 86_400_000
"""More than a year, so that last year's file is known when this year's is sent."""


class KnownIds(msgspec.Struct):
    """ids: when each was used, oldest first."""

    ids: dict[str, int] = {}

    def add(self, one: str, at_ms: int) -> None:
        """Remember the id, and forget up to two that are too old, so that they get fewer and none waits."""
        self.ids[one] = at_ms
        for oldest in list_first(self.ids, 2):
            if self.ids[oldest] > at_ms - REMEMBERED_MS:
                return
            del self.ids[oldest]


def list_first(ids: dict[str, int], count: int) -> list[str]:
    """The first keys of a dict."""
    return [key for key, _ in zip(ids, range(count), strict=False)]

"""Runs a Faust app until told to stop, and ends the process where it gets stuck.

Nothing here may know what the app is for.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from faust.types import TP

from detection.faust_app import FAILED_STATUS, App
from engine.logger import logger

MOST: Final = 100
"""Records that may wait without anything being wrong: the markers of transactions are never committed."""


class Watchdog:
    """Notices a partition that much waits in and that nothing is committed of, for longer than `patience_s`.

    Seen in a run with twenty kills, behind a rebalance, in a group that was stable. What is not committed is
    read again by whoever starts anew, so ending the worker mends it.
    """

    def __init__(self, patience_s: float, most: int = MOST) -> None:
        self._patience_s = patience_s
        self._most = most
        self._since: dict[Hashable, tuple[int, float]] = {}

    def stuck(self, now_s: float, places: Mapping[Any, tuple[int, int]]) -> Any | None:
        """The first such partition. places: of each, what is committed, and how far it goes."""
        for place in [one for one in self._since if one not in places]:
            del self._since[place]
        for place, (committed, end) in places.items():
            before, since_s = self._since.get(place, (-1, now_s))
            if committed != before or end - committed <= self._most:
                self._since[place] = committed, now_s
            elif now_s - since_s > self._patience_s:
                return place
        return None


def places(app: App) -> dict[Any, tuple[int, int]]:
    """What is committed of each partition, and how far it goes; nothing while partitions change hands."""
    consumer: Any = app.consumer
    if app.rebalancing or app.in_recovery:
        return {}
    changelogs = app.tables.changelog_topics
    return {
        one: (consumer._committed_offset.get(one) or 0, consumer.highwater(one) or 0)  # noqa: SLF001 - not public
        for one in consumer.assignment()
        if one.topic not in changelogs
    }


class Behind:
    """How far a worker is behind in a partition: `engine.log.records.Measured`."""

    def __init__(self, app: App, topic: str, partition: int) -> None:
        self._app = app
        self._place = TP(topic, partition)

    def events_behind(self, after: int) -> int:
        """About how many records are behind `after`."""
        highest = self._app.consumer.highwater(self._place) or 0  # none before the first fetch
        return max(0, highest - after - 1)

    def is_far(self, most: int) -> bool:
        """Whether more than so many records are not read yet, as far as is known."""
        consumer: Any = self._app.consumer
        read = consumer._read_offset.get(self._place)  # noqa: SLF001 - where nothing was read, what is committed
        return read is not None and self.events_behind(read) > most

    def commands_behind(self, after: int) -> int:
        """No worker reads commands."""
        return 0


async def serve(app: App, told: Callable[[], bool], patience_s: float = 60.0) -> None:
    """Run the app until told to stop. Raises what ended it.

    patience_s: after how long without progress of a partition that much waits in the process ends itself.
    """
    await app.start()
    watchdog = Watchdog(patience_s)
    try:
        while not told() and not app.should_stop:
            place = watchdog.stuck(time.monotonic(), places(app))
            if place is not None:
                logger.error("stream_stuck", what=f"{place.topic} {place.partition}")
                os._exit(FAILED_STATUS)
            await asyncio.sleep(0.2)
    finally:
        await app.stop()
    if app.crash_reason is not None:
        raise app.crash_reason

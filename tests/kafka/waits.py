"""How long an upstream that watches the answers had to wait for the next one, partition by partition."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from tests.kafka.client import KafkaError, TopicPartition, consumer

AGAIN_S: Final = 0.2


class Waits:
    """Follows a topic from where it stands; the longest time between two records is the longest pause."""

    def __init__(self, bootstrap: str, topic: str, partitions: Iterable[int]) -> None:
        self._bootstrap = bootstrap
        self._places = [TopicPartition(topic, one) for one in sorted(set(partitions))]
        self._last: dict[int, float] = {}
        self._longest: dict[int, float] = {}
        self.ready = asyncio.Event()
        self.answers = 0

    def begin(self) -> None:
        """Commands are offered from now on."""
        now = time.monotonic()
        self._last = {one.partition: now for one in self._places}
        self._longest = {one.partition: 0.0 for one in self._places}

    def longest_ms(self) -> int:
        """The longest pause since `begin` that has ended, of any partition, ms."""
        return round(max(self._longest.values(), default=0.0) * 1_000)

    async def watch(self) -> None:
        """Follow, until cancelled."""
        reader = consumer(self._bootstrap)
        await reader.start()
        try:
            reader.assign(self._places)
            for place, end in (await reader.end_offsets(self._places)).items():
                reader.seek(place, end)
            self.ready.set()
            while True:
                try:
                    found = await reader.getmany(timeout_ms=200)
                except KafkaError:
                    await asyncio.sleep(AGAIN_S)
                    continue
                now = time.monotonic()
                for place, records in found.items():
                    if records:
                        self.answers += len(records)
                        self._came(place.partition, now)
        finally:
            await reader.stop()

    def _came(self, partition: int, now: float) -> None:
        last = self._last.get(partition)
        if last is not None:
            self._longest[partition] = max(self._longest[partition], now - last)
            self._last[partition] = now

"""A partition that is another's, folded behind it, so that taking over costs only what came last.

It reads as any follower does and never writes or claims. Whatever goes wrong costs only the warmth: the state
is dropped, and who takes over starts from a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from threading import Event as Told
from threading import Thread
from typing import Final

from engine.errors import DaybookError
from engine.fold import Folded
from engine.log.kafka import KafkaLog
from engine.log.topics import Kafka
from engine.logger import logger

AT_ONCE: Final = 2_000
IDLE_S: Final = 0.1
AGAIN_S: Final = 5.0

Load = Callable[[KafkaLog], Folded | None]
"""The newest state that is kept of a log, or None where there is none."""


class Warm:
    """Follows one partition in a thread of its own, until it is taken."""

    def __init__(self, kafka: Kafka, partition: int, load: Load) -> None:
        self.partition = partition
        self._kafka = kafka
        self._load = load
        self._folded: Folded | None = None
        self._told = Told()
        self._thread = Thread(target=self._run, name=f"warm-{partition}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end. From any thread."""
        self._told.set()

    def take(self) -> Folded | None:
        """Its state, which is the taker's from now on; None where there is none that could be trusted."""
        self.stop()
        self._thread.join()
        folded, self._folded = self._folded, None
        return folded

    def _run(self) -> None:
        while not self._told.is_set():
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - whatever it is, only the warmth is lost
                self._folded = None
                what = error.what if isinstance(error, DaybookError) else f"{type(error).__name__}: {error}"
                logger.warning("warm_partition_lost", partition=self.partition, what=what)
                self._told.wait(AGAIN_S)

    def _follow(self) -> None:
        with KafkaLog(self._kafka, self.partition) as log:
            loaded = self._load(log)
            self._folded = loaded  # taken in the meantime, it spares another who would load it again
            folded = loaded or Folded()
            while not self._told.is_set():
                before = folded.offset
                folded.apply(islice(log.events(folded.offset), AT_ONCE))
                self._folded = folded
                if folded.offset == before:
                    self._told.wait(IDLE_S)

"""The engine as a process on Kafka: every partition that the group gives it, each in a thread of its own.

The main thread polls the group and is the watchdog of the others. `Fenced`, a log that is damaged and a bug
in one partition end the whole process in order: the group gives all of its partitions to another at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from threading import Event as Told
from typing import Final

from engine import garbage, operating
from engine.backlog import Backlog
from engine.fold import Folded
from engine.home import Home
from engine.live_keys import LiveKeys
from engine.log.kafka import KafkaLog
from engine.log.topic_settings import ensure
from engine.log.topics import Kafka
from engine.logger import logger
from engine.membership import SESSION_MS, Membership
from engine.owner import Begin, Deciding, Owner
from engine.settings import GroupProtocol, Settings
from engine.site import Site
from engine.snapshots import load_newest
from engine.supervisor import until_told
from engine.warm import Load, Warm
from engine.watchdog import Watchdog
from engine.worker import Worker

ROLE: Final = "engine"
POLL_S: Final = 0.1
MOST_RELEASE_S: Final = 30.0


class Engine:
    """A member of the group of engines, and what it owns.

    warm: the partitions to keep folded while they are another's.   patience_s: the watchdog's.
    """

    def __init__(
        self,
        kafka: Kafka,
        load: Callable[[int], Load],
        begin: Begin,
        *,
        warm: Collection[int] | None = (),
        session_ms: int = SESSION_MS,
        protocol: GroupProtocol = "auto",
        patience_s: float = 60.0,
    ) -> None:
        """Joins the group. warm: None means all.   Raises LogUnavailable, NotInitialised."""
        self.owners: dict[int, Owner] = {}
        self._kafka = kafka
        self._load = load
        self._begin = begin
        self._leaving: dict[int, Owner] = {}
        self._kept: dict[int, Warm] = {}
        self._release_s = min(session_ms / 2_000, MOST_RELEASE_S)
        self._watchdog = Watchdog(patience_s)
        self._closed = False
        self._membership = Membership(
            kafka, ROLE, self._gained, self._lost, session_ms=session_ms, protocol=protocol
        )
        known = range(self._membership.partitions)
        self._warm = frozenset(known if warm is None else set(known) & set(warm))
        for one in sorted(self._warm):
            self._keep_warm(one)

    def run(self, told: Told) -> None:
        """Work until told to stop. Raises what ended a partition."""
        while not told.is_set():
            self.step(POLL_S)

    def step(self, wait_s: float) -> None:
        """Hear what the group says, and look after every partition."""
        self._membership.poll(wait_s)
        self._leaving = {one.partition: one for one in self._leaving.values() if not self._is_gone(one)}
        for owner in self.owners.values():
            if owner.failure is not None:
                raise owner.failure
        self._watchdog.look(one.progress for one in (*self.owners.values(), *self._leaving.values()))

    def close(self) -> None:
        """Finish every batch, let go of every partition, and leave the group."""
        self._closed = True
        for warm in self._kept.values():
            warm.stop()
        self._membership.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- told by the group ----------------------------------------------------------------------------

    def _gained(self, partitions: Sequence[int]) -> None:
        for one in partitions:
            logger.info("partition_assigned", partition=one)
            owner = Owner(
                self._kafka,
                one,
                self._membership,
                self._load(one),
                self._begin,
                warm=self._kept.pop(one, None),
                before=self._leaving.pop(one, None),
            )
            self.owners[one] = owner
            owner.start()

    def _lost(self, partitions: Sequence[int]) -> None:
        """Within a bounded time. Whoever gets the partition fences what is not finished by then."""
        leaving = [self.owners.pop(one) for one in partitions]
        for owner in leaving:
            logger.info("partition_revoked", partition=owner.partition)
            owner.stop()
        deadline = time.monotonic() + self._release_s
        for owner in leaving:
            if not owner.gone(max(0.0, deadline - time.monotonic())):
                logger.warning("partition_not_finished", partition=owner.partition, what=owner.progress.doing)
            self._leaving[owner.partition] = owner
            if not self._closed:
                self._keep_warm(owner.partition)

    def _is_gone(self, owner: Owner) -> bool:
        if not owner.gone(0.0):
            return False
        if owner.failure is not None:
            raise owner.failure
        return True

    def _keep_warm(self, partition: int) -> None:
        if partition in self._warm and partition not in self.owners:
            self._kept[partition] = Warm(self._kafka, partition, self._load(partition))


def serve(home: Home, settings: Settings) -> None:
    """Decide what is in the commands topic until told to stop. Raises WrongTopics, LogUnavailable."""
    site = Site(home, settings)
    if site.kafka.partitions(site.kafka.commands):  # else joining says what to do
        ensure(site.kafka, home.read().partitions or None)
    told, _ = until_told()

    def load(partition: int) -> Load:
        return lambda log: load_newest(site.snapshots(partition), log)

    def begin(log: KafkaLog, folded: Folded) -> Deciding:
        keys = LiveKeys(home)
        metrics = operating.metrics()
        observer = None if metrics is None else metrics.worker(log.partition, log)
        worker = Worker(
            log,
            folded,
            admission=keys.admission(),
            overlapped=log,
            backlog=Backlog(log, settings.backlog_s, settings.backlog_commands),
            observer=observer,
        )

        def look() -> None:
            worker.pipeline.admission = keys.admission()  # a new credential counts at once

        def close() -> None:
            worker.close()
            if observer is not None:
                observer.close()

        return Deciding(worker, look, close)

    engine = Engine(
        site.kafka,
        load,
        begin,
        warm=settings.warm_partitions(),
        session_ms=settings.group_session_ms,
        protocol=settings.group_protocol,
        patience_s=settings.watchdog_s,
    )
    with garbage.by_hand(), engine:
        engine.run(told)

"""The projector's process: one partition, or on Kafka its share of all.

Several of them share the partitions by their group. The group only spreads the work: what keeps two from
projecting an event twice is each partition's position, which moves with the rows it accounts for.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event as Told
from typing import Final

import psycopg

from console.read_models import AT_ONCE
from engine import operating
from engine.errors import DaybookError
from engine.log.records import wall_clock
from engine.observer import Progress
from engine.site import OpenLog, Site
from projections.database import DatabaseUnavailable, first_line
from projections.projector import Projector

IDLE_S: Final = 0.05
ROLE: Final = "projector"
REPORT_MS: Final = 1_000
"""How often the group is told how far a partition is projected, for whoever watches its lag."""


class Projecting:
    """Projectors of some partitions, each asked in turn. dsn: of the read models."""

    def __init__(self, site: Site, dsn: str) -> None:
        self._site = site
        self._dsn = dsn
        self._own: dict[int, tuple[OpenLog, Projector]] = {}
        self._progress: dict[int, Progress] = {}
        self._idle: set[int] = set()
        """Partitions with nothing new when they were asked last: what is new is seen without a question."""

    def gain(self, partitions: Sequence[int]) -> None:
        """Begin with these."""
        for partition in partitions:
            log = self._site.read(partition)
            try:
                self._own[partition] = log, Projector(self._dsn, log, partition)
            except BaseException:
                log.close()
                raise
            self._progress[partition] = operating.reader(ROLE, partition, log)

    def lose(self, partitions: Sequence[int]) -> None:
        """Let go of these. What was begun of them is done: a step is one transaction."""
        self._idle.difference_update(partitions)
        for partition in partitions:
            found = self._own.pop(partition, None)
            if found is not None:
                log, projector = found
                projector.close()
                log.close()
                self._progress.pop(partition).close()

    def step(self) -> int:
        """Project a batch of each; returns how many events that were."""
        done = 0
        for partition, (log, projector) in list(self._own.items()):
            if partition in self._idle and not log.wait_events(projector.offset, 0.0):
                self._progress[partition].step(0, projector.offset)
                continue
            applied = projector.step(AT_ONCE)
            if applied:
                self._idle.discard(partition)
            else:
                self._idle.add(partition)
            self._progress[partition].step(applied, projector.offset)
            done += applied
        return done

    def positions(self) -> list[tuple[int, int]]:
        """Each partition with the offset of its newest event in the read models."""
        return [(partition, projector.offset) for partition, (_, projector) in self._own.items()]

    def close(self) -> None:
        """Let go of all."""
        self.lose(list(self._own))


def work(site: Site, dsn: str, told: Told) -> None:
    """Project until told to stop. Raises DatabaseUnavailable, LogUnavailable and what a projector raises."""
    projecting = Projecting(site, dsn)
    try:
        if site.kind == "kafka":
            _share(projecting, site, told)
        else:
            projecting.gain([0])
            while not told.is_set():
                if projecting.step() == 0:
                    told.wait(IDLE_S)
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"The database of the read models failed: {first_line(error)}.") from error
    finally:
        projecting.close()


def _share(projecting: Projecting, site: Site, told: Told) -> None:
    """As a member of the group. What goes wrong while partitions come or go is raised here, not inside it."""
    from engine.membership import Membership  # noqa: PLC0415 - the client, for whom it concerns

    failed: list[Exception] = []

    def gained(partitions: Sequence[int]) -> None:
        try:
            projecting.gain(partitions)
        except (DaybookError, psycopg.Error) as error:
            failed.append(error)

    member = Membership(
        site.kafka,
        ROLE,
        gained,
        projecting.lose,
        topic=site.kafka.events,
        session_ms=site.settings.group_session_ms,
        protocol=site.settings.group_protocol,
    )
    try:
        reported = 0
        while not told.is_set():
            member.poll(IDLE_S if projecting.step() == 0 else 0.0)
            if failed:
                raise failed[0]
            now_ms = wall_clock()
            if abs(now_ms - reported) > REPORT_MS:
                reported = now_ms
                for partition, offset in projecting.positions():
                    member.report(partition, offset + 1)
    finally:
        member.close()

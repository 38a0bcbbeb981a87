"""The process of detection: alerts of the one log of a home, or of the partitions that its group gives it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from threading import Event as Told

from detection.detector import NAME, Detector
from engine import operating
from engine.derivation import Host
from engine.derivations import Derivations, share
from engine.home import Home
from engine.settings import Settings
from engine.site import Site


def detect(home: Home, settings: Settings, told: Told) -> None:
    """Derive alerts until told to stop."""
    site = Site(home, settings)

    @contextlib.contextmanager
    def opened(partition: int) -> Iterator[Host]:
        with (
            site.read(partition) as log,
            contextlib.closing(site.write_alerts(partition, NAME)) as output,
            contextlib.closing(operating.reader(NAME, partition, log)) as progress,
        ):
            told = functools.partial(operating.alerted, partition)
            detector = Detector(log, site.snapshots(partition), told=told)
            yield Host(detector, log, output, told=progress.step)

    if site.kind != "kafka":
        alone = Derivations(opened)
        alone.gained(site.partitions)
        alone.run(told)
        return
    from engine.membership import Membership  # noqa: PLC0415 - the client, for whom it concerns

    def ours(partition: int) -> bool:
        return group.confirmed(partition)

    derivations = Derivations(opened, ours)
    with Membership(
        site.kafka,
        NAME,
        derivations.gained,
        derivations.lost,
        topic=site.kafka.events,
        session_ms=settings.group_session_ms,
        protocol=settings.group_protocol,
    ) as group:
        share(derivations, group, told)

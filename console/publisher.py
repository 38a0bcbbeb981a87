"""The publisher's process: the public outcomes of the partitions that the group gives it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from threading import Event as Told

from engine import operating
from engine.derivation import Host
from engine.derivations import Derivations, share
from engine.errors import WrongUse
from engine.home import Home
from engine.publisher import NAME, Publisher
from engine.settings import Settings
from engine.site import Site


def publish(home: Home, settings: Settings, told: Told) -> None:
    """Publish until told to stop. Raises WrongUse for a home that is not on Kafka."""
    site = Site(home, settings)
    if site.kind != "kafka":
        raise WrongUse(
            "Only a home on Kafka has a topic that outcomes are published to.",
            "`daybook outcomes` shows them from the events here.",
        )
    from engine.log.kafka_output import KafkaOutput  # noqa: PLC0415 - the client, for whom it concerns
    from engine.membership import Membership  # noqa: PLC0415 - as above

    kafka = site.kafka

    @contextlib.contextmanager
    def opened(partition: int) -> Iterator[Host]:
        with (
            site.read(partition) as log,
            contextlib.closing(KafkaOutput(kafka, kafka.outcomes, partition, NAME)) as output,
            contextlib.closing(operating.reader(NAME, partition, log)) as progress,
        ):
            yield Host(Publisher(), log, output, told=progress.step)

    def ours(partition: int) -> bool:
        return group.confirmed(partition)

    derivations = Derivations(opened, ours)
    with Membership(
        kafka,
        NAME,
        derivations.gained,
        derivations.lost,
        topic=kafka.events,
        session_ms=settings.group_session_ms,
        protocol=settings.group_protocol,
    ) as group:
        share(derivations, group, told)

"""Which Kafka a site uses, out of its settings. A module of its own, so that nobody else loads the client."""

from __future__ import annotations

from engine.errors import NotInitialised
from engine.log.topics import Kafka
from engine.settings import Settings


def kafka_of(settings: Settings) -> Kafka:
    """The site's place in its cluster. Raises NotInitialised where none is set."""
    if settings.kafka_bootstrap is None:
        raise NotInitialised(
            "This home's log is in Kafka.", "Set DAYBOOK_KAFKA_BOOTSTRAP to host:port of it."
        )
    return Kafka(
        settings.kafka_bootstrap,
        settings.topic_prefix,
        dict(settings.kafka_options),
        settings.transaction_ms,
    )

"""Where a demo on Kafka runs: a broker of its own for as long as it lasts, or the cluster that is named.

Its topics have names of their own each time, as its home is made anew each time.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from pathlib import Path
from typing import Final

from console.output import Output
from console.sites import Topics
from engine.settings import Settings

PARTITIONS: Final = 4
ENDED: Final = (
    "The broker that the demo had started has ended, and its log with it. To look around in a demo's home, "
    "name a cluster in DAYBOOK_KAFKA_BOOTSTRAP, such as that of `daybook dev kafka`, and run the demo again."
)


def place(output: Output, settings: Settings, stack: contextlib.ExitStack) -> tuple[Settings, Topics]:
    """The settings with a cluster and a prefix that nobody has used, and how the topics are made there."""
    from engine.broker import Cluster, remove  # noqa: PLC0415 - for whom it concerns
    from engine.kafka_settings import kafka_of  # noqa: PLC0415 - as above

    if settings.kafka_bootstrap is None:
        folder = Path(tempfile.mkdtemp(prefix="daybook-demo-"))
        stack.callback(remove, folder)
        output.say("Starting a Kafka broker for the demo; the first time its jars are fetched.")
        cluster = stack.enter_context(Cluster(folder))
        settings = settings.model_copy(update={"kafka_bootstrap": cluster.bootstrap, "kafka_options": {}})
    prefix = f"{settings.topic_prefix}-demo-{secrets.token_hex(4)}"
    settings = settings.model_copy(update={"topic_prefix": prefix})
    kafka = kafka_of(settings)
    output.say(f"The log is in {kafka.commands} and {kafka.events} at {kafka.bootstrap}.")
    return settings, Topics(PARTITIONS, min(3, kafka.brokers()))


def exports(settings: Settings) -> list[str]:
    """What finds the demo's log again."""
    return [
        f"DAYBOOK_KAFKA_BOOTSTRAP={settings.kafka_bootstrap}",
        f"DAYBOOK_TOPIC_PREFIX={settings.topic_prefix}",
    ]

"""The topics that only the stream workers have: those between agents, and the changelogs of their tables.

All of them have the partition count of the site, so that who is given a partition of one is given it of all.
Records between agents may go after `VIA_MS`, since they are made anew from events; a changelog keeps the
newest record of each row, because it is all that a worker has left after its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.log.topic_settings import Setting
from engine.log.topics import MAX_BYTES, Kafka

NAME: Final = "stream"
VIA: Final = ("subjects", "groups", "kinds", "asked")
"""The topics between the agents."""
TABLES: Final = ("known", "seeing", "cases", "days", "open")
VIA_MS: Final = 7 * 86_400_000


def via(kafka: Kafka, name: str) -> str:
    """The topic between agents of this name."""
    return f"{kafka.prefix}.{NAME}-{name}"


def changelog(kafka: Kafka, name: str) -> str:
    """The changelog of the table of this name, as Faust calls it."""
    return f"{kafka.prefix}.{NAME}-{name}-changelog"


def wanted(kafka: Kafka, replication: int) -> Mapping[str, Mapping[str, Setting]]:
    """Each topic's settings."""
    every = {
        "max.message.bytes": Setting(str(MAX_BYTES), "A large alert would be refused.", at_least=True),
        "min.insync.replicas": Setting(
            str(min(2, replication)),
            "What only one broker has is lost with that broker, though it was acknowledged.",
            at_least=True,
        ),
        "unclean.leader.election.enable": Setting("false", "What was acknowledged could be gone."),
    }
    between = {
        **every,
        "cleanup.policy": Setting("delete", "Compaction leaves one record of a payee or a book."),
        "retention.ms": Setting(
            str(VIA_MS), "Workers that were down for longer would miss what was not read yet.", at_least=True
        ),
    }
    rows = {
        **every,
        "cleanup.policy": Setting("compact", "Rows that are removed by age are forgotten by the workers."),
    }
    return {via(kafka, name): between for name in VIA} | {changelog(kafka, name): rows for name in TABLES}

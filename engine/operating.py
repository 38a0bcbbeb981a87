"""What makes a process one that is operated: its log lines and its metrics begin here, once, by its role.

Processes of `daybook run` do; the rest of the command line speaks to people and counts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine import logger
from engine.log.records import Measured
from engine.metrics import Metrics, metrics_of
from engine.observer import UNHEARD, Progress
from engine.settings import Settings

ROLES: Final = (
    "engine",
    "projector",
    "follower",
    "relay",
    "publisher",
    "rail",
    "detection",
    "triage",
    "stream",
    "webhooks",
)
"""In the order of the ports that they take under `daybook up`, from DAYBOOK_METRICS_PORT on."""

_metrics: list[Metrics] = []


def begin(process: str, settings: Settings) -> None:
    """Say and count from here on. Raises WrongUse where the metrics cannot be served."""
    logger.start(process, settings.log_format, secrets=logger.secrets_of(settings))
    _metrics[:] = [metrics_of(process, settings)]
    logger.logger.info("process_started")


def metrics() -> Metrics | None:
    """This process's metrics; None where nobody operates it."""
    return _metrics[0] if _metrics else None


def reader(consumer: str, partition: int, log: Measured) -> Progress:
    """What whoever follows events tells once a step; close it with the partition."""
    return UNHEARD if not _metrics else _metrics[0].reader(consumer, partition, log)


def alerted(partition: int, alerts: Sequence[tuple[str, int]]) -> None:
    """What a detector tells when alerts are durable: see `Metrics.alerted`."""
    if _metrics and alerts:
        _metrics[0].alerted(partition, alerts)


def ports(settings: Settings) -> dict[str, dict[str, str]]:
    """What each process of `daybook up` is told, so that no two ask for one port."""
    if settings.metrics_port is None:
        return {role: {} for role in ROLES}
    return {
        role: {"DAYBOOK_METRICS_PORT": str(settings.metrics_port + number)}
        for number, role in enumerate(ROLES)
    }

"""What a process counts for Prometheus, each metric once and by its documented name (docs/operations.md).

One registry a process, served where DAYBOOK_METRICS_PORT says. Labels are roles, partitions, reasons and
books: never a person, an account or an id of a command. Nothing is counted once a command; a batch is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from book.state import Book, Partition
from commands.decide import RELEASE
from engine import spans
from engine.errors import WrongUse
from engine.log.records import BEFORE_FIRST, Measured, Record, wall_clock
from engine.logger import logger
from engine.observer import Progress
from engine.settings import Settings

ACCEPTED: Final = "accepted"
MOST_BOOKS: Final = 200
"""How many books of a partition have series of their own; the rest, the smaller ones, are summed up."""
OTHERS: Final = "(others)"
COMMIT_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ALERT_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
BATCH: Final = (1, 10, 100, 250, 500, 1_000, 2_000, 4_000, 8_000)


class Metrics:
    """The metrics of one process. Callable from any thread."""

    def __init__(self, process: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        partition = ("partition",)
        consumer = ("consumer", "partition")
        self.build = Gauge(
            "daybook_build_info",
            "Constant 1: what runs.",
            ("process", "version", "release"),
            registry=registry,
        )
        self.build.labels(process, _version(), str(RELEASE)).set(1)
        self.owned = Gauge(
            "daybook_partition_owned",
            "1 while this process works on the partition in that role.",
            consumer,
            registry=registry,
        )
        self.commands = Counter(
            "daybook_commands", "Commands decided and committed.", partition, registry=registry
        )
        self.outcomes = Counter(
            "daybook_outcomes",
            "Outcomes committed: accepted, repeated, or the reason of the rejection.",
            ("partition", "reason"),
            registry=registry,
        )
        self.events = Counter(
            "daybook_events",
            "Events committed (engine) or handled (others).",
            consumer,
            registry=registry,
        )
        self.batch = Histogram(
            "daybook_batch_commands",
            "Commands taken at once.",
            partition,
            buckets=BATCH,
            registry=registry,
        )
        self.commit = Histogram(
            "daybook_commit_seconds",
            "What a commit took.",
            partition,
            buckets=COMMIT_S,
            registry=registry,
        )
        self.lag = Gauge(
            "daybook_consumer_lag_records",
            "Records behind which the role is: commands for the engine, events for the others.",
            consumer,
            registry=registry,
        )
        self.refusing = Gauge(
            "daybook_books_refusing",
            "Books that answer busy to all but urgent commands, because too much waits.",
            partition,
            registry=registry,
        )
        self.oldest = Gauge(
            "daybook_oldest_undecided_command_age_seconds",
            "Age of the oldest command that is not decided; 0 where none waits.",
            partition,
            registry=registry,
        )
        self.receipt = Gauge(
            "daybook_last_receipt_timestamp_seconds",
            "When a receipt was signed last, in seconds since 1970.",
            partition,
            registry=registry,
        )
        self.snapshot = Gauge(
            "daybook_last_snapshot_timestamp_seconds",
            "When a snapshot was written last, in seconds since 1970.",
            partition,
            registry=registry,
        )
        self.alerts = Counter(
            "daybook_alerts",
            "Alerts committed: the typology, or the document of rules.",
            ("partition", "kind"),
            registry=registry,
        )
        self.alert = Histogram(
            "daybook_alert_seconds",
            "From the append of an event to the commit of the alert that it completes.",
            partition,
            buckets=ALERT_S,
            registry=registry,
        )
        self._states = _States()
        registry.register(self._states)

    def worker(self, partition: int, log: Measured) -> WorkerMetrics:
        """The observer of a partition's worker; `close` it when the partition is given up."""
        return WorkerMetrics(self, partition, log, self._states)

    def reader(self, consumer: str, partition: int, log: Measured) -> Progress:
        """For who follows a partition's events; `close` it when the partition is given up."""
        return ReaderMetrics(self, consumer, partition, log)

    def alerted(self, partition: int, alerts: Sequence[tuple[str, int]]) -> None:
        """Alerts were committed just now: the kind of each, and when its event was appended, in ms."""
        one, now_ms = str(partition), wall_clock()
        wait = self.alert.labels(one)
        for kind, appended_ms in alerts:
            self.alerts.labels(one, kind.partition("/")[0]).inc()
            wait.observe(max(0, now_ms - appended_ms) / 1_000)

    def serve(self, host: str, port: int) -> int:
        """Serve them over HTTP from a thread; returns the port, of the system's choice for 0."""
        try:
            server, _ = start_http_server(port, host, self.registry)
        except OSError as error:
            raise WrongUse(
                f"Metrics cannot be served on {host}:{port}: {error.strerror or error}.",
                "Set DAYBOOK_METRICS_PORT to a free port, or unset it.",
            ) from error
        return int(server.server_address[1])


class WorkerMetrics:
    """An `Observer` (engine/worker.py) that counts."""

    def __init__(self, metrics: Metrics, partition: int, log: Measured, states: _States) -> None:
        self._log = log
        self._states = states
        self._metrics = metrics
        self._partition = one = str(partition)
        self._since_ms: int | None = None
        self._said: dict[str, Callable[[float], None]] = {}
        self._commands = metrics.commands.labels(one)
        self._events = metrics.events.labels("engine", one)
        self._batch = metrics.batch.labels(one)
        self._commit = metrics.commit.labels(one)
        self._lag = metrics.lag.labels("engine", one)
        self._refusing = metrics.refusing.labels(one)
        metrics.oldest.labels(one).set_function(self._age_s)
        metrics.owned.labels("engine", one).set(1)

    def began(self, partition: Partition) -> None:
        """See `Observer.began`."""
        self._states.partitions[self._partition] = partition

    def took(self, records: Sequence[Record], refusing: int) -> None:
        """See `Observer.took`."""
        self._since_ms = records[0].time_ms
        self._batch.observe(len(records))
        self._refusing.set(refusing)

    def committed(
        self, commands: int, events: int, said: Mapping[str, int], position: int, took_s: float
    ) -> None:
        """See `Observer.committed`."""
        if events:
            self._commit.observe(took_s)
            self._events.inc(events)
            spans.committed("daybook commit", took_s, commands=commands, events=events, position=position)
        if commands:
            self._commands.inc(commands)
            self._count(ACCEPTED, commands - sum(said.values()))
            for reason, count in said.items():
                self._count(reason, count)
            behind = self._log.commands_behind(position)
            self._lag.set(behind)
            if not behind:  # else what waits came no earlier than what was decided last, and is taken next
                self._since_ms = None

    def idle(self, position: int) -> None:
        """See `Observer.idle`."""
        self._since_ms = None
        self._lag.set(self._log.commands_behind(position))
        self._refusing.set(0)

    def close(self) -> None:
        """The partition is another's now: what is true only of an owner is no longer said."""
        one = self._partition
        self._states.partitions.pop(one, None)
        metrics = self._metrics
        for gauge in (metrics.refusing, metrics.oldest):
            gauge.remove(one)
        for gauge in (metrics.owned, metrics.lag):
            gauge.remove("engine", one)

    def _age_s(self) -> float:
        since = self._since_ms
        return 0.0 if since is None else max(0.0, (wall_clock() - since) / 1_000)

    def _count(self, reason: str, count: int) -> None:
        known = self._said.get(reason)
        if known is None:
            known = self._said[reason] = self._metrics.outcomes.labels(self._partition, reason).inc
        known(count)


class ReaderMetrics:
    """A `Progress` that counts."""

    def __init__(self, metrics: Metrics, consumer: str, partition: int, log: Measured) -> None:
        self._metrics = metrics
        self._labels = (consumer, str(partition))
        self._log = log
        self._events = metrics.events.labels(*self._labels)
        self._lag = metrics.lag.labels(*self._labels)
        metrics.owned.labels(*self._labels).set(1)

    def step(self, events: int, offset: int) -> None:
        """See `Progress.step`."""
        if events:
            self._events.inc(events)
        self._lag.set(self._log.events_behind(max(offset, BEFORE_FIRST)))

    def receipt(self, signed_ms: int) -> None:
        """See `Progress.receipt`."""
        self._metrics.receipt.labels(self._labels[1]).set(signed_ms / 1_000)

    def snapshot(self, written_s: float | None = None) -> None:
        """See `Progress.snapshot`."""
        self._metrics.snapshot.labels(self._labels[1]).set(time.time() if written_s is None else written_s)

    def close(self) -> None:
        """See `Progress.close`."""
        for gauge in (self._metrics.owned, self._metrics.lag):
            gauge.remove(*self._labels)


SIZES: Final[Mapping[str, tuple[str, Callable[[Book], int]]]] = {
    "daybook_book_accounts": ("Accounts in the state.", lambda book: len(book.accounts)),
    "daybook_book_remembered_ids": (
        "Ids of commands that are remembered.",
        lambda book: len(book.repeats.seen),
    ),
    "daybook_book_timers": ("Timers that are set.", lambda book: len(book.timers.queue)),
    "daybook_book_events": ("The seq of the book's newest event.", lambda book: book.seq),
}
"""The size of the state, looked at when it is asked for, so that it costs the worker nothing."""


class _States(Collector):
    """Looks at the states that workers of this process own."""

    def __init__(self) -> None:
        self.partitions: dict[str, Partition] = {}

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The families, without figures."""
        for name, (text, _) in SIZES.items():
            yield GaugeMetricFamily(name, text, labels=("partition", "book"))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures of now. A length is read whole, whatever the worker does meanwhile."""
        states = [(name, _largest(one)) for name, one in list(self.partitions.items())]
        for family, (_, size) in zip(self.describe(), SIZES.values(), strict=True):
            for partition, (shown, others) in states:
                for book in shown:
                    family.add_metric((partition, book.id), size(book))
                if others:
                    family.add_metric((partition, OTHERS), sum(size(book) for book in others))
            yield family


def _largest(partition: Partition) -> tuple[list[Book], list[Book]]:
    books = sorted(partition.books.values(), key=lambda book: len(book.accounts), reverse=True)
    return books[:MOST_BOOKS], books[MOST_BOOKS:]


def _version() -> str:
    try:
        return version("daybook-engine")
    except PackageNotFoundError:  # run from a clone
        return "clone"


def metrics_of(process: str, settings: Settings) -> Metrics:
    """The process's metrics, served where the settings say so. Raises WrongUse where they cannot be."""
    metrics = Metrics(process)
    if settings.metrics_port is not None:
        port = metrics.serve(settings.metrics_host, settings.metrics_port)
        logger.info("metrics_served", port=port)
    return metrics

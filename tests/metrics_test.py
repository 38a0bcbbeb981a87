"""Metrics: what is exposed is what docs/operations.md lists, and the figures are those of the log."""

from __future__ import annotations

import json
import re
import shutil
import socket
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from engine import operating
from engine.errors import WrongUse
from engine.log.memory import MemoryLog
from engine.log.records import Out
from engine.metrics import MOST_BOOKS, OTHERS, Metrics
from engine.settings import Settings
from engine.worker import Worker
from tests.histories import Bank
from tests.story import ROOT as BOSS
from tests.terminal import ROOT, Terminal, Up, small_bank, until

OPERATIONS = Path(ROOT, "docs/operations.md")


def documented() -> dict[str, str]:
    """The metrics that the document lists, and their types."""
    rows = re.findall(r"^\| `(daybook_\w+)` \| (\w+) \|", OPERATIONS.read_text(), re.MULTILINE)
    assert len(dict(rows)) == len(rows), "each stands there once"
    return dict(rows)


def exposed(metrics: Metrics) -> dict[str, str]:
    """What a scrape can find, by the names that a query uses."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for collector in metrics.registry._collector_to_names
        if not isinstance(collector, ProcessCollector)
        for family in collector.describe()  # type: ignore[attr-defined]
    }


def test_the_document_lists_what_is_exposed() -> None:
    assert documented() == exposed(Metrics("engine"))


def test_names_follow_the_conventions() -> None:
    for name, kind in documented().items():
        assert re.fullmatch(r"daybook(_[a-z]+)+", name)
        assert (kind == "counter") == name.endswith("_total")
        assert not re.search(r"_(ms|milliseconds|minutes|kb|mb)\b", name), "base units"


class Scrape:
    """What Prometheus would find."""

    def __init__(self, metrics: Metrics) -> None:
        port = metrics.serve("127.0.0.1", 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        self.families: dict[str, Metric] = {one.name: one for one in text_string_to_metric_families(text)}
        self.samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def of(self, name: str, **labels: str) -> float:
        return self.samples[name, *sorted(labels.items())]

    def by(self, name: str, label: str) -> dict[str, float]:
        family = self.families[name.removesuffix("_total")]
        return {one.labels[label]: one.value for one in family.samples if one.name == name}


def test_the_figures_are_those_of_the_log() -> None:
    bank = Bank(41)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    bank.live(log, 300)
    commands = [Out(r.key, r.value, r.headers) for r in log.commands(-1, 100_000, 0.0)]
    # The same commands again, with an engine that counts: all are repeats or refusals, and some new.
    metrics = Metrics("engine")
    other = log.reopen()
    observer = metrics.worker(0, other)
    answered: list[bytes] = []
    worker = Worker(
        other,
        answered=lambda _, answers: answered.extend(answer[0] for answer in answers),
        clock=bank.clock,
        observer=observer,
        batch=50,
    )
    other.submit(commands)
    while worker.step():
        pass
    found = Scrape(metrics)
    reasons = found.by("daybook_outcomes_total", "reason")
    assert found.of("daybook_commands_total", partition="0") == len(commands) == len(answered)
    assert sum(reasons.values()) == len(commands)
    for reason in set(reasons) - {"accepted", "repeated"}:
        marked = b'"type":"CommandRejected"'
        expected = sum(
            1 for value in answered if marked in value and f'"reason":"{reason}"'.encode() in value
        )
        assert reasons[reason] == expected, reason
    assert reasons["repeated"] == sum(b'"type":"CommandRepeated"' in value for value in answered) > 100
    assert found.of("daybook_batch_commands_count", partition="0") >= len(commands) / 50
    assert found.of("daybook_batch_commands_sum", partition="0") == len(commands)
    assert found.of("daybook_commit_seconds_count", partition="0") >= len(commands) / 50
    assert found.of("daybook_consumer_lag_records", consumer="engine", partition="0") == 0
    assert found.of("daybook_oldest_undecided_command_age_seconds", partition="0") == 0
    books = worker.folded.partition.books
    assert found.by("daybook_book_accounts", "book") == {
        name: len(book.accounts) for name, book in books.items()
    }
    assert found.by("daybook_book_events", "book") == {name: book.seq for name, book in books.items()}
    observer.close()
    left = Scrape(metrics)
    assert not left.families["daybook_book_accounts"].samples
    assert not left.families["daybook_partition_owned"].samples
    assert left.of("daybook_commands_total", partition="0") == len(commands), "what happened stays counted"


def test_what_waits_has_an_age() -> None:
    now = [1_000_000]
    log = MemoryLog(clock=lambda: now[0])
    from engine.genesis import begin
    from engine.log import records

    begin(log, [BOSS], now[0])
    log = log.reopen()
    metrics = Metrics("engine")
    observer = metrics.worker(0, log)
    Worker(log, clock=lambda: now[0], observer=observer)
    observer.took([records.Record(b"main", b"", 0, records.wall_clock() - 5_000)], 0)
    assert 5 <= Scrape(metrics).of("daybook_oldest_undecided_command_age_seconds", partition="0") < 60
    observer.idle(0)
    assert Scrape(metrics).of("daybook_oldest_undecided_command_age_seconds", partition="0") == 0


def test_readers_tell_how_far_they_are() -> None:
    bank = Bank(42)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    bank.live(log, 20)
    metrics = Metrics("projector")
    reader = metrics.reader("projector", 0, log)
    reader.step(3, log.last_event_offset() - 2)
    reader.receipt(1_700_000_000_000)
    reader.snapshot(1_700_000_001.0)
    found = Scrape(metrics)
    assert found.of("daybook_events_total", consumer="projector", partition="0") == 3
    assert found.of("daybook_consumer_lag_records", consumer="projector", partition="0") == 2
    assert found.of("daybook_last_receipt_timestamp_seconds", partition="0") == 1_700_000_000
    assert found.of("daybook_last_snapshot_timestamp_seconds", partition="0") == 1_700_000_001
    reader.close()
    assert not Scrape(metrics).families["daybook_consumer_lag_records"].samples


def test_a_partition_of_many_books_has_few_series() -> None:
    from book.state import Partition

    bank = Bank(43)
    log = MemoryLog(clock=bank.clock)
    bank.begin(log)
    bank.live(log, 20)
    metrics = Metrics("engine")
    worker = Worker(log.reopen(), clock=bank.clock)
    model = worker.folded.partition.books["main"]
    many = Partition(
        books={
            f"b{number}": msgspec.structs.replace(model, id=f"b{number}") for number in range(MOST_BOOKS + 50)
        }
    )
    metrics.worker(0, log).began(many)
    sizes = Scrape(metrics).by("daybook_book_accounts", "book")
    assert len(sizes) == MOST_BOOKS + 1
    assert sum(sizes.values()) == len(model.accounts) * (MOST_BOOKS + 50)
    assert sizes[OTHERS] == len(model.accounts) * 50


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


def test_a_port_that_is_taken_is_said_with_what_to_do(taken: int) -> None:
    with pytest.raises(WrongUse, match="DAYBOOK_METRICS_PORT"):
        Metrics("engine").serve("127.0.0.1", taken)


def test_processes_of_one_site_take_ports_of_their_own() -> None:
    given = operating.ports(Settings(metrics_port=9_400))
    assert given["engine"] == {"DAYBOOK_METRICS_PORT": "9400"}
    assert len({one["DAYBOOK_METRICS_PORT"] for one in given.values()}) == len(operating.ROLES)
    text = OPERATIONS.read_text()
    for number, role in enumerate(operating.ROLES):
        assert f"| {role} | `DAYBOOK_METRICS_PORT` + {number} |" in text
    assert not any(operating.ports(Settings()).values())


def test_no_label_names_a_person() -> None:
    metrics = Metrics("engine")
    labels = {name for collector in metrics.registry._collector_to_names for name in _labels_of(collector)}
    assert labels == {"process", "version", "release", "consumer", "partition", "reason", "kind"}


def _labels_of(collector: object) -> tuple[str, ...]:
    return tuple(getattr(collector, "_labelnames", ()))


@pytest.mark.long
def test_every_process_of_a_site_serves_its_figures_and_says_json() -> None:
    folder = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = min(one.getsockname()[1], 65_000)
    terminal = Terminal(folder, DAYBOOK_METRICS_PORT=str(port), DAYBOOK_LOG_FORMAT="json")
    terminal.ok("init", "--book", "main")
    up = Up(terminal)
    try:
        terminal.ok("submit", "-", "--stamp", stdin=small_bank(3))

        def found(role: str) -> dict[str, Metric]:
            url = f"http://127.0.0.1:{port + operating.ROLES.index(role)}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return {one.name: one for one in text_string_to_metric_families(answer.read().decode())}

        def handled(role: str) -> float:
            try:
                samples = found(role)["daybook_events"].samples
            except OSError:
                return 0
            return sum(one.value for one in samples if one.labels.get("consumer") == role)

        for role in ("engine", "projector", "follower", "relay"):
            until(lambda: handled(role) > 0)  # noqa: B023
            (build,) = found(role)["daybook_build_info"].samples
            assert build.labels["process"] == role
        until(lambda: found("follower")["daybook_last_receipt_timestamp_seconds"].samples != [])
        assert found("engine")["daybook_commands"].samples
    finally:
        status, text = up.stop(), up.text()
        shutil.rmtree(folder, ignore_errors=True)
    assert status == 0
    said = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {line["process"] for line in said} >= {"engine", "projector", "follower", "relay"}
    assert all(line["event"] and line["time"] and line["level"] for line in said)

"""`daybook status`: it shows who does what and how far they are, also while half of it is down."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.cluster import Cluster
from engine.log.records import wall_clock
from engine.log.topics import Kafka
from engine.membership import Membership
from tests.kafka_servers import made
from tests.terminal import Terminal, Up, kill, small_bank, until
from tests.up_test import servers


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    folder = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    yield Terminal(folder)
    for one in servers(folder):
        kill(one)
    shutil.rmtree(folder, ignore_errors=True)


def owners(status: dict[str, Any]) -> dict[str, str | None]:
    return {duty["role"]: duty["owner"] for duty in status["duties"] if duty["partition"] == 0}


def test_a_home_that_nothing_runs_for_is_shown_with_what_is_missing(terminal: Terminal) -> None:
    terminal.ok("init", "--book", "main")
    shown = terminal.run("status", "--json")
    assert shown.status == 1
    assert owners(shown.last) == dict.fromkeys(("engine", "projector", "follower", "relay"))
    assert "Nobody is the engine of partition 0." in shown.last["problems"]
    assert shown.last["partitions"][0]["events"] > 1
    told = terminal.run("status")
    assert "nobody" in told.out
    assert "! Nobody is the engine of partition 0." in told.out


@pytest.mark.long
def test_a_site_that_runs_is_well_and_one_that_lost_a_process_is_not(terminal: Terminal) -> None:
    terminal.ok("init", "--book", "main")
    up = Up(terminal)
    terminal.ok("submit", "-", "--stamp", stdin=small_bank(1))
    seen: dict[str, Any] = {}

    def well() -> bool:
        seen.update(terminal.run("status", "--json").last)
        behind = {duty["role"]: duty["behind"] for duty in seen["duties"]}
        return bool(seen["ok"]) and behind["projector"] == behind["follower"] == 0

    until(well)
    pids = {role: f"process {one.pid}" for role, one in up.children().items()}
    assert owners(seen) == pids
    assert seen["partitions"][0]["books"] == ["main"]
    assert 0 <= wall_clock() - seen["partitions"][0]["signed_at_ms"] < 3_600_000
    follower = up.children()["follower"]
    follower.send_signal(signal.SIGSTOP)  # so that it is not started again at once
    kill(follower)
    assert up.stop() == 0
    after = terminal.run("status", "--json")
    assert after.status == 1
    assert set(owners(after.last).values()) == {None}


def test_followed_it_goes_on_until_it_is_told_to_stop(terminal: Terminal) -> None:
    terminal.ok("init")
    following = terminal.start("status", "--follow", "--every", "0", "--json")
    assert following.stdout is not None
    first, second = (msgspec.json.decode(following.stdout.readline()) for _ in range(2))
    assert first["at_ms"] < second["at_ms"]
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=60)
    assert following.returncode == 130


def test_a_cluster_that_is_away_is_said_and_the_rest_is_shown(terminal: Terminal) -> None:
    terminal.ok("init")
    home = terminal.folder / ".daybook/home.json"
    home.write_text(home.read_text().replace('"sqlite"', '"kafka"'))
    shown = terminal.run("status", "--json", DAYBOOK_KAFKA_BOOTSTRAP="127.0.0.1:1")
    assert shown.status == 1
    assert shown.last["brokers"] == []
    (problem,) = shown.last["problems"]
    assert problem.startswith("Kafka at 127.0.0.1:1 does not answer")


def test_groups_and_topics_are_shown_as_the_cluster_has_them(
    kafka_bootstrap: str, terminal: Terminal
) -> None:
    kafka = made(kafka_bootstrap, 3)
    terminal.ok("init")
    home = terminal.folder / ".daybook/home.json"
    home.write_text(home.read_text().replace('"sqlite"', '"kafka"'))
    producer = kafka.producer()
    for _ in range(7):
        producer.produce(kafka.commands, b"{}", b"main", 1)
    producer.flush(10)
    nobody = [lambda _: None] * 2
    with Membership(kafka, "engine", *nobody) as group, ThreadPoolExecutor(1) as asking:
        # On a busy machine the coordinator may give a member up and take it again.
        done = asking.submit(lambda: False)
        while not (done.done() and done.result() and group.owned == {0, 1, 2}):
            if done.done():
                done = asking.submit(group.confirmed, 1, 5)
            group.poll(0.1)
        shown = terminal.run(
            "status",
            "--json",
            DAYBOOK_KAFKA_BOOTSTRAP=kafka_bootstrap,
            DAYBOOK_TOPIC_PREFIX=kafka.prefix,
        ).last
    duties = {(duty["role"], duty["partition"]): duty for duty in shown["duties"]}
    assert len(duties) == 5 * 3
    assert all(duties["engine", one]["owner"] for one in range(3))
    assert duties["engine", 1]["behind"] == 2
    assert duties["projector", 0]["owner"] is None
    assert [topic["partitions"] for topic in shown["topics"]] == [3, 3, 3, 3]
    assert shown["partitions"][1]["commands"] == 7
    assert sorted(shown["problems"]) == sorted(
        f"Nobody is the {role} of partition {one}."
        for role in ("projector", "follower", "publisher", "detection")
        for one in range(3)
    )


def test_a_site_without_topics_says_so(kafka_bootstrap: str) -> None:
    cluster = Cluster(Kafka(kafka_bootstrap, "nobody-made-these"))
    assert cluster.brokers()
    assert cluster.topics() == []
    assert [problem[:18] for problem in cluster.problems] == ["There is no topic "] * 4

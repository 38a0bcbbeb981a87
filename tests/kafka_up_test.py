"""`daybook up` of a home on Kafka: commands, kills of every process, payments between books."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from engine.log.topics import partition_of
from tests.crossbook_up_test import BOOKS, DEPOSIT, agreed, sent
from tests.kafka_servers import unused_prefix
from tests.terminal import Terminal, Up, kill, ndjson, until

PARTITIONS = 2


@pytest.fixture
def site(kafka_bootstrap: str, postgres_dsn: str) -> Iterator[Terminal]:
    """A home with two books, on two partitions, which have agreed on payments."""
    assert len({partition_of(book.encode(), PARTITIONS) for book in BOOKS}) == 2
    folder = Path(tempfile.mkdtemp(prefix="daybook-", dir="/tmp"))
    terminal = Terminal(
        folder,
        DAYBOOK_KAFKA_BOOTSTRAP=kafka_bootstrap,
        DAYBOOK_TOPIC_PREFIX=unused_prefix(),
        DAYBOOK_DATABASE_URL=postgres_dsn,
        DAYBOOK_GROUP_SESSION_MS="6000",
    )
    topics = ("--log", "kafka", "--partitions", str(PARTITIONS), "--replication", "1")
    for book in BOOKS:
        terminal.ok("init", "--book", book, "--second-admin", "", *topics)
    yield terminal
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.long
def test_a_site_comes_up_answers_and_ends(site: Terminal) -> None:
    up = Up(site)
    try:
        assert {"engine", "projector", "follower", "relay"} <= set(up.children())
        commands = ndjson([one for book in BOOKS for one in agreed(book)])
        answers = site.ok("submit", "-", "--stamp", "--json", stdin=commands).lines
        assert {one["verdict"] for one in answers} == {"accepted"}
        site.ok("submit", "-", "--stamp", "--json", stdin=sent(range(10)))
        until(lambda: balances(site) == paid(10))
        assert site.ok("doctor", "--json").lines[-1]["ok"]
        assert up.stop() == 0
    finally:
        up.kill_all()
    assert site.run("submit", "-", "--stamp", stdin=sent(range(10, 11))).status != 0, "nobody decides"
    proven(site)


@pytest.mark.long
def test_whatever_is_killed_every_payment_arrives_once(site: Terminal) -> None:
    chance = random.Random(5)
    up = Up(site)
    count = 0
    try:
        site.ok("submit", "-", "--stamp", stdin=ndjson([one for book in BOOKS for one in agreed(book)]))
        for name in ("relay", "projector", "engine", "relay", "follower", "engine"):
            victim = running(up, name)
            client = site.start("submit", "-", "--stamp")
            assert client.stdin is not None
            more = chance.randrange(20, 60)
            client.stdin.write(sent(range(count, count + more)).encode())
            client.stdin.close()
            kill(victim)
            assert client.wait(120) == 0
            for stream in (client.stdout, client.stderr):
                assert stream is not None
                stream.close()
            count += more
        until(lambda: balances(site) == paid(count), 120)
        assert up.stop() == 0
    finally:
        up.kill_all()
    proven(site)


def running(up: Up, name: str) -> psutil.Process:
    until(lambda: name in up.children())
    return up.children()[name]


def balances(site: Terminal) -> dict[str, int]:
    return {book: site.ok("account", "a1", "--book", book, "--json").last["booked"] for book in BOOKS}


def paid(count: int) -> dict[str, int]:
    """What a1 of each book has when payment 0 to `count` have arrived or come back."""
    found = dict.fromkeys(BOOKS, DEPOSIT)
    for number in range(count):
        if number % 5 != 4:
            found[BOOKS[number % 2]] -= number + 1
            found[BOOKS[1 - number % 2]] += number + 1
    return found


def proven(site: Terminal) -> None:
    verified = site.ok("replay", "verify", "--json").last
    assert verified["ok"], verified["problems"]
    assert site.ok("replay", "redecide", "--json").last["digest"] == verified["digest"]
    assert site.ok("replay", "rebuild", "--json").last["ok"]

"""Read models of a home on Kafka: projectors share partitions, die, and meet by mistake; nothing doubles."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.projecting import Projecting
from engine.site import Site
from projections.database import connect, execute
from projections.rebuild import rebuild
from tests.kafka_bank import BOOKS, Bank, bank_on
from tests.terminal import DAYBOOK, ROOT, until


@pytest.fixture
def bank(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Bank]:
    with bank_on(kafka_bootstrap, tmp_path / "home") as made:
        yield made


def booked(dsn: str) -> dict[str, int]:
    """What the vault of each book has, as the read models say."""
    with connect(dsn) as session:
        found = execute(session, "SELECT book, booked FROM daybook.accounts WHERE account = 'vault'")
        return {str(book): int(amount) for book, amount in found}


def shown(bank: Bank) -> dict[str, int]:
    return dict.fromkeys(BOOKS, bank.moved * 100)


def assert_right(site: Site, dsn: str) -> None:
    with site.read_all() as logs:
        assert rebuild(dsn, logs, compare_only=True).identical


def test_two_that_have_the_same_partitions_by_mistake_double_nothing(bank: Bank, postgres_dsn: str) -> None:
    chance = random.Random(7)
    both = [Projecting(bank.site, postgres_dsn) for _ in range(2)]
    for one in both:
        one.gain(bank.site.partitions)
    applied = 0
    for _ in range(12):
        bank.move(5)
        applied += chance.choice(both).step()
    until(lambda: sum(one.step() for one in both) == 0)
    assert booked(postgres_dsn) == shown(bank)
    both[0].lose([0, 2])
    bank.move(1)
    until(lambda: both[0].step() + both[1].step() == 0)
    assert [partition for partition, _ in both[0].positions()] == [1]
    assert booked(postgres_dsn) == shown(bank)
    for one in both:
        one.close()
    assert_right(bank.site, postgres_dsn)


def test_a_rebuild_covers_all_partitions_and_finds_a_wrong_row_of_any(bank: Bank, postgres_dsn: str) -> None:
    bank.move(3)
    projecting = Projecting(bank.site, postgres_dsn)
    projecting.gain(bank.site.partitions)
    until(lambda: projecting.step() == 0)
    for book in BOOKS[:3]:
        with connect(postgres_dsn) as session:
            execute(
                session, "UPDATE daybook.accounts SET booked = 1 WHERE book = %s AND account = 'till'", book
            )
        with bank.site.read_all() as logs:
            assert not rebuild(postgres_dsn, logs, compare_only=True).identical
            assert not rebuild(postgres_dsn, logs).identical
            assert rebuild(postgres_dsn, logs, compare_only=True).identical
    bank.move(2)
    until(lambda: projecting.step() == 0)  # it goes on from where the rebuild has put the positions
    projecting.close()
    assert booked(postgres_dsn) == shown(bank)


@pytest.mark.long
def test_projectors_that_are_killed_are_followed_by_those_that_are_left(
    bank: Bank, postgres_dsn: str
) -> None:
    settings = bank.site.settings
    env = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")} | {
        "PYTHONPATH": str(ROOT),
        "DAYBOOK_HOME": str(bank.site.home.root),
        "DAYBOOK_DATABASE_URL": postgres_dsn,
        "DAYBOOK_KAFKA_BOOTSTRAP": settings.kafka_bootstrap or "",
        "DAYBOOK_TOPIC_PREFIX": settings.topic_prefix,
        "DAYBOOK_GROUP_SESSION_MS": str(settings.group_session_ms),
    }

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([*DAYBOOK, "run", "projector"], env=env, stdin=subprocess.PIPE)

    chance = random.Random(11)
    running = [start(), start()]
    try:
        for _ in range(3):
            bank.move(40)
            until(lambda: booked_so_far(postgres_dsn) > chance.random() * bank.moved * 100)
            victim = running.pop(chance.randrange(2))
            victim.kill()
            victim.wait()
            bank.move(40)
            until(lambda: booked(postgres_dsn) == shown(bank))
            running.append(start())
        survivor = running[0]
        survivor.send_signal(signal.SIGTERM)
        assert survivor.wait(30) == 0
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert_right(bank.site, postgres_dsn)


def booked_so_far(dsn: str) -> int:
    with connect(dsn) as session:
        there = execute(session, "SELECT to_regclass('daybook.accounts')").fetchone()
    return sum(booked(dsn).values()) // len(BOOKS) if there is not None and there[0] is not None else -1

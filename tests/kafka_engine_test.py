"""The engine as processes on the real broker: who owns what, and that nothing is lost or done twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.log.kafka import KafkaCommands
from tests.kafka_engines import BankOnKafka, Load
from tests.terminal import until

Bank = Callable[..., BankOnKafka]


@pytest.fixture
def bank(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Bank]:
    """Makes a bank of so many partitions; its engines end with the test."""
    made: list[BankOnKafka] = []

    def make(partitions: int, **settings: str) -> BankOnKafka:
        made.append(BankOnKafka(tmp_path, kafka_bootstrap, partitions, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_commands_are_decided_and_a_killed_engine_is_taken_over_from(bank: Bank) -> None:
    site = bank(2)
    site.open_books()
    first = site.start()
    until(lambda: first.owns(0, 1))
    with Load(site) as load:
        until(load.goes_on())
        first.kill()
        second = site.start()
        until(lambda: second.owns(0, 1))
        until(load.goes_on())
    site.prove(load.sent)
    assert second.stop() == 0
    KafkaCommands(site.kafka).submit([site.transfer(0, "late")])
    assert not site.decided(0), "nobody is there to decide it"

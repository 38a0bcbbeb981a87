"""The group of a role: partitions are shared, handed over one by one, and taken from who is away."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import LogUnavailable, NotInitialised
from engine.log.kafka import KafkaCommands
from engine.log.records import Out
from engine.log.topics import Kafka
from engine.membership import Membership, protocol_of
from tests.kafka_servers import made

PATIENCE_S = 60.0


class Member:
    """A membership that notes what it is told."""

    def __init__(self, kafka: Kafka, name: str, told: list[tuple[str, str, int]]) -> None:
        self.name = name
        self.told = told
        self.membership = Membership(
            kafka, "engine", self.gained, self.lost, session_ms=6_000, protocol="classic"
        )

    def gained(self, partitions: object) -> None:
        self.told += [(self.name, "gained", one) for one in partitions]  # type: ignore[attr-defined]

    def lost(self, partitions: object) -> None:
        self.told += [(self.name, "lost", one) for one in partitions]  # type: ignore[attr-defined]


def until(members: list[Member], there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, [(one.name, one.membership.owned) for one in members]
        for one in members:
            one.membership.poll(0.02)


def confirmed(member: Member, partition: int) -> bool:
    """Ask as an owner does: from another thread than the one that polls."""
    with ThreadPoolExecutor(1) as asking:
        answer = asking.submit(member.membership.confirmed, partition, 1)
        until([member], answer.done)
        return answer.result()


def test_partitions_are_shared_and_each_is_let_go_before_it_is_another_s(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 4)
    KafkaCommands(kafka, 0).submit([Out(b"book", b"data that the group must not carry")])
    told: list[tuple[str, str, int]] = []
    first = Member(kafka, "first", told)
    until([first], lambda: first.membership.owned == {0, 1, 2, 3})
    assert confirmed(first, 0)

    second = Member(kafka, "second", told)
    both = [first, second]
    until(both, lambda: len(first.membership.owned) == len(second.membership.owned) == 2)
    assert first.membership.owned.isdisjoint(second.membership.owned)
    moved = second.membership.owned.copy()
    assert not confirmed(first, min(moved)), "it is another's by now"
    for one in moved:
        assert told.index(("first", "lost", one)) < told.index(("second", "gained", one))
    assert [one for one in told if one[1] == "lost"] == [("first", "lost", one) for one in sorted(moved)]

    second.membership.close()
    assert [one for name, what, one in told if (name, what) == ("second", "lost")] == sorted(moved)
    until([first], lambda: first.membership.owned == {0, 1, 2, 3})
    first.membership.close()
    assert not first.membership.owned
    assert not first.membership.confirmed(0)


def test_the_protocol_is_what_the_broker_takes_the_session_time_in(kafka: Kafka) -> None:
    assert protocol_of(kafka, f"{kafka.prefix}-some", 1_000_000_000) == "classic"
    assert protocol_of(kafka, f"{kafka.prefix}-some", 45_000) == "consumer"


@pytest.mark.long
def test_a_broker_that_allows_short_sessions_gives_the_newer_protocol(newer_groups: str) -> None:
    kafka = made(newer_groups, 1)
    assert protocol_of(kafka, f"{kafka.prefix}-some", 3_000) == "consumer"
    assert protocol_of(kafka, f"{kafka.prefix}-some", 900) == "classic"


def test_the_newer_protocol_shares_partitions_too(kafka_bootstrap: str) -> None:
    kafka = made(kafka_bootstrap, 2)
    gained: list[int] = []
    lost: list[int] = []
    with Membership(kafka, "follower", gained.extend, lost.extend, session_ms=45_000) as member:
        assert member.protocol == "consumer"
        deadline = time.monotonic() + PATIENCE_S
        while member.owned != {0, 1}:
            assert time.monotonic() < deadline
            member.poll(0.1)
        assert gained == [0, 1]
    assert lost == [0, 1]


def test_no_topic_and_no_cluster_are_said(kafka: Kafka) -> None:
    def nothing(_: object) -> None: ...

    with pytest.raises(NotInitialised, match="daybook init"):
        Membership(Kafka(kafka.bootstrap, f"{kafka.prefix}-else"), "engine", nothing, nothing)
    with pytest.raises(LogUnavailable):
        Membership(Kafka("127.0.0.1:1", kafka.prefix), "engine", nothing, nothing)

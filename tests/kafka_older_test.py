"""An older broker, 3.9: what the log, the group and the engine need is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupType

from engine.broker import Cluster
from engine.errors import Fenced
from engine.log.kafka import KafkaLog
from engine.log.records import Out
from engine.log.topic_settings import check, create, stalled
from engine.membership import protocol_of
from tests.kafka_engines import BankOnKafka, Load
from tests.kafka_servers import elsewhere
from tests.terminal import until


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it is reached."""
    with Cluster(tmp_path_factory.mktemp("older"), version="3.9.1") as cluster:
        yield cluster.bootstrap


@pytest.mark.long
def test_a_broker_of_release_3_9_will_do(older: str) -> None:
    page = [Out(b"main", b"a")]
    kafka = elsewhere(older)
    create(kafka, 2, 1)
    assert check(kafka, 2) == stalled(kafka) == []
    with KafkaLog(kafka, 1, writer=True) as first:
        assert list(first.submit(page)) == [0]
        assert [record.value for record in first.commands(-1, 10, 10.0)] == [b"a"]
        first.commit(page, 0, 1)
        with KafkaLog(kafka, 1, writer=True) as second:
            with pytest.raises(Fenced):
                first.commit(page, 0, 1)
            second.commit(page, 0, 1)
            assert [record.value for record in second.events(-1)] == [b"a", b"a"]


@pytest.mark.long
def test_engines_share_its_partitions_by_the_classic_protocol_and_take_over(
    older: str, tmp_path: Path
) -> None:
    site = BankOnKafka(tmp_path, older, 2, DAYBOOK_GROUP_PROTOCOL="auto")
    site.open_books()
    assert protocol_of(site.kafka, f"{site.kafka.prefix}-some", 45_000) == "classic"
    try:
        first = site.start()
        until(lambda: first.owns(0, 1))
        with Load(site) as load:
            until(load.goes_on())
            second = site.start()
            until(lambda: second.owns(0) or second.owns(1))
            until(load.goes_on())
            first.kill()
            until(lambda: second.owns(0, 1))
            until(load.goes_on())
        site.prove(load.sent)
        assert second.stop() == 0, second.text()
        assert site.group_type() in {ConsumerGroupType.CLASSIC, ConsumerGroupType.UNKNOWN}
    finally:
        site.end()

"""An older broker, 3.9: what the log needs is there."""

from pathlib import Path

import pytest

from engine.broker import Cluster
from engine.errors import Fenced
from engine.log.kafka import KafkaLog
from engine.log.records import Out
from engine.log.topic_settings import check, create, stalled
from engine.log.topics import Kafka


@pytest.mark.long
def test_a_broker_of_release_3_9_will_do(tmp_path: Path) -> None:
    page = [Out(b"main", b"a")]
    with Cluster(tmp_path / "old", version="3.9.1") as cluster:
        kafka = Kafka(cluster.bootstrap, "bank")
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

"""What the log in Kafka promises beyond the contract of all logs: whole pages, one writer, gaps."""

import pytest

from engine.errors import Fenced
from engine.log.kafka import KafkaLog
from engine.log.records import Out
from engine.log.topics import Kafka

T0 = 1_700_000_000_000


def outs(*values: str) -> list[Out]:
    return [Out(b"book", value.encode()) for value in values]


def test_a_page_is_there_whole_or_not_at_all(kafka: Kafka) -> None:
    with KafkaLog(kafka, writer=True) as log, KafkaLog(kafka) as reader:
        log.commit(outs("a", "b"), -1, T0)
        assert [record.value for record in reader.events(-1)] == [b"a", b"b"]
        producer = log._producer
        assert producer is not None
        producer.begin_transaction()
        producer.produce(kafka.events, b"half", b"book", 0)
        producer.flush()
        last = reader.last_event_offset()
        assert list(reader.events(last)) == []
        with KafkaLog(kafka, writer=True) as next_one:
            assert [record.value for record in next_one.events(-1)] == [b"a", b"b"]
            next_one.commit(outs("c"), -1, T0)
            found = list(reader.events(last))
            assert [record.value for record in found] == [b"c"]
            assert found[0].offset > last + 1, "markers and what was aborted leave gaps"
            with pytest.raises(Fenced):
                log.commit(outs("late"), -1, T0)
            assert [record.value for record in next_one.events(-1)] == [b"a", b"b", b"c"]

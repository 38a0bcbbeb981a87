"""What the log in Kafka promises beyond the contract of all logs: whole pages, one writer, gaps."""

import threading
import time

import pytest
from confluent_kafka import KafkaError

from engine.errors import Fenced
from engine.log.kafka import KafkaLog
from engine.log.records import Out
from engine.log.tail import Tail
from engine.log.topic_writer import TopicWriter
from engine.log.topics import Kafka

T0 = 1_700_000_000_000


def outs(*values: str) -> list[Out]:
    return [Out(b"book", value.encode()) for value in values]


def test_a_page_is_there_whole_or_not_at_all(kafka: Kafka) -> None:
    with KafkaLog(kafka, writer=True) as log, KafkaLog(kafka) as reader:
        log.commit(outs("a", "b"), -1, T0)
        assert [record.value for record in reader.events(-1)] == [b"a", b"b"]
        last = reader.last_event_offset()
        assert log._writer is not None
        producer = log._writer.producer
        assert producer is not None
        producer.begin_transaction()
        producer.produce(kafka.events, b"half", b"book", 0)
        producer.flush()
        assert list(reader.events(last)) == []
        with KafkaLog(kafka, writer=True) as after_the_crash:
            assert [record.value for record in after_the_crash.events(-1)] == [b"a", b"b"]
            after_the_crash.commit(outs("c"), -1, T0)
            found = list(reader.events(last))
            assert [record.value for record in found] == [b"c"]
            assert found[0].offset > last + 1, "markers and what was aborted leave gaps"


def test_who_opens_the_log_has_ended_the_one_who_had_it(kafka: Kafka) -> None:
    with KafkaLog(kafka, writer=True) as first:
        first.commit(outs("a"), -1, T0)
        with KafkaLog(kafka, writer=True) as second:
            with pytest.raises(Fenced):
                first.commit(outs("late"), -1, T0)
            second.commit(outs("b"), -1, T0)
            assert [record.value for record in second.events(-1)] == [b"a", b"b"]


def test_the_newest_record_is_not_missed_where_a_new_leader_shows_less(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publisher goes on behind it, so what is missed would be published twice."""
    with KafkaLog(kafka, writer=True) as log:
        for value in "abc":
            log.commit(outs(value), -1, T0)
    poll = Tail._poll
    ended: set[int] = set()

    def ends_early(tail: Tail, wait_s: float) -> None:
        if id(tail) in ended:
            poll(tail, wait_s)
        else:
            ended.add(id(tail))
            tail._failed(KafkaError(KafkaError._PARTITION_EOF), 0)

    monkeypatch.setattr(Tail, "_poll", ends_early)
    tail = Tail(kafka, kafka.events, 0)
    newest = tail.newest()
    tail.close()
    assert newest is not None
    assert newest.value == b"c"


def test_what_stands_open_at_a_claim_is_mended_once_and_waited_for(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that its coordinator has forgotten cannot be had on order, so somebody else's stands for
    it; tests/kafka/rounds.py met a real one.
    """
    monkeypatch.setattr("engine.log.tail.HANGING_S", 0.2)
    mended: list[float] = []
    real = TopicWriter._end_hanging

    def mend(writer: TopicWriter) -> None:
        real(writer)
        mended.append(time.monotonic())
        threading.Timer(0.5, other.abort_transaction).start()

    monkeypatch.setattr(TopicWriter, "_end_hanging", mend)
    with KafkaLog(kafka, writer=True) as log:
        log.commit(outs("a"), -1, T0)
    other = kafka.producer(transactional_id=f"{kafka.prefix}-somebody")
    other.init_transactions()
    other.begin_transaction()
    other.produce(kafka.events, b"half", b"book", 0)
    other.flush()
    with KafkaLog(kafka, writer=True) as log, KafkaLog(kafka) as reader:
        assert len(mended) == 1
        assert time.monotonic() - mended[0] >= 0.5, "it is not ours to end, so it is waited for"
        log.commit(outs("b"), -1, T0)
        assert [record.value for record in reader.events(-1)] == [b"a", b"b"], "nothing of it is seen"

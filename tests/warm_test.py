"""A partition that is kept warm, at the moments that a takeover seldom meets."""

import threading

from engine.fold import Folded
from engine.log.kafka import KafkaLog
from engine.log.topics import Kafka
from engine.warm import Warm


def test_a_state_that_was_being_loaded_when_it_is_taken_is_not_loaded_twice(kafka: Kafka) -> None:
    """A snapshot of a million accounts takes ten seconds, and the partition stands still."""
    loading, go = threading.Event(), threading.Event()
    state = Folded()

    def load(log: KafkaLog) -> Folded:
        loading.set()
        assert go.wait(30)
        return state

    warm = Warm(kafka, 0, load)
    assert loading.wait(30)
    warm.stop()
    go.set()
    assert warm.take() is state


def test_what_could_not_be_followed_is_not_taken(kafka: Kafka) -> None:
    failed = threading.Event()

    def load(log: KafkaLog) -> Folded:
        failed.set()
        raise ValueError("damaged")

    warm = Warm(kafka, 0, load)
    assert failed.wait(30)
    assert warm.take() is None

"""What a deployment may set of Kafka's client: security, and not what exactly once rests on."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from engine.errors import WrongUse
from engine.kafka_settings import OURS, kafka_of
from engine.log import topics
from engine.log.topics import Kafka, unavailable
from engine.settings import Settings


def at(options: dict[str, str]) -> Kafka:
    return kafka_of(Settings(kafka_bootstrap="127.0.0.1:1", kafka_options=options))


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_exactly_once_rests_on_is_refused_by_name(name: str) -> None:
    with pytest.raises(WrongUse, match=rf"DAYBOOK_KAFKA_OPTIONS sets {name}, on which it rests"):
        at({"security.protocol": "PLAINTEXT", name: "1"})


def test_none_of_ours_is_left_open() -> None:
    """Each of the settings that we make a client with, but for its speed and its patience, is one of them."""
    tuning = {"compression.type", "linger.ms", "batch.num.messages", "queue.buffering.max.messages"}
    reading = {name for name in topics._READING if not name.startswith(("fetch.", "queued.", "max.", "rec"))}
    assert reading | topics._WRITING.keys() - tuning <= OURS


def test_a_refusal_of_long_ago_is_not_the_reason_of_what_fails_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that a server did not know for a moment was told with every failure for as long as it ran."""
    kafka = at({})
    kafka.heard(KafkaError(KafkaError._RESOLVE, "no such host"))
    failed = KafkaException(KafkaError(KafkaError._TIMED_OUT))
    assert "no such host" in unavailable(failed, "asking", kafka.heard).what
    monkeypatch.setattr(topics, "FRESH_S", 0.0)
    assert "no such host" not in unavailable(failed, "asking", kafka.heard).what


def test_security_passes_through() -> None:
    options = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "ssl.ca.location": "/ca"}
    assert at(options).options == options

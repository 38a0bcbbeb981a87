"""What a deployment may set of Kafka's client: security, and not what exactly once rests on."""

import pytest

from engine.errors import WrongUse
from engine.kafka_settings import OURS, kafka_of
from engine.log import topics
from engine.log.topics import Kafka
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


def test_security_passes_through() -> None:
    options = {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "ssl.ca.location": "/ca"}
    assert at(options).options == options

"""The logger: what comes out is what operators may read, a line a time, and nothing else."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from confluent_kafka import KafkaException

from engine import logger
from engine.log.topics import Kafka
from engine.settings import Settings
from tests.terminal import ROOT


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(to: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in to.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_what_is_known() -> None:
    to = io.StringIO()
    logger.start("engine", "json", to=to)
    logger.logger.info("partition_assigned", partition=3, book="main", seq=7)
    (line,) = lines(to)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("time"))
    assert line == {
        "level": "info",
        "event": "partition_assigned",
        "process": "engine",
        "partition": 3,
        "book": "main",
        "seq": 7,
    }


def test_it_is_text_on_a_terminal_and_json_elsewhere() -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen, file = Screen(), io.StringIO()
    logger.start("engine", to=screen)
    logger.logger.info("ready")
    assert "ready" in screen.getvalue()
    assert not screen.getvalue().lstrip().startswith("{")
    logger.start("engine", to=file)
    logger.logger.info("ready")
    assert lines(file)[0]["event"] == "ready"


def test_fields_that_are_not_foreseen_do_not_come_out() -> None:
    to = io.StringIO()
    logger.start("engine", "json", to=to)
    logger.logger.info("submitted", name="Ada Lovelace", account="a1", partition=0)
    assert "Ada" not in to.getvalue()
    assert lines(to)[0].keys() == {"time", "level", "event", "process", "partition"}


def test_secrets_are_struck_out_wherever_they_stand() -> None:
    settings = Settings(
        database_url="postgresql://daybook:s3cret-word@db/daybook",
        log_url="host=db user=daybook password=other-word",
        kafka_bootstrap="broker:9092",
        kafka_options={"sasl.password": "third-word", "sasl.username": "daybook-engine"},
    )
    secrets = logger.secrets_of(settings)
    assert set(secrets) == {"s3cret-word", "other-word", "third-word"}
    to = io.StringIO()
    logger.start("engine", "json", secrets=secrets, to=to)
    logger.logger.error("failed", what="no connection to postgresql://daybook:s3cret-word@db/daybook")
    logging.getLogger("some.library").warning("the password is %s", "third-word")
    try:
        raise ValueError("password=other-word")
    except ValueError:
        logger.logger.exception("failed")
    text = to.getvalue()
    assert not any(secret in text for secret in secrets)
    assert text.count(logger.STRUCK) >= 3
    assert "daybook-engine" not in logger.STRUCK


def test_what_libraries_say_comes_out_in_the_same_form() -> None:
    to = io.StringIO()
    logger.start("relay", "json", to=to)
    logging.getLogger("some.library").warning("it is %d o'clock", 5)
    logging.getLogger("some.library").info("chatter")
    (line,) = lines(to)
    assert (line["event"], line["source"], line["what"]) == (
        "library_said",
        "some.library",
        "it is 5 o'clock",
    )
    assert (line["process"], line["level"]) == ("relay", "warning")


def test_what_librdkafka_says_comes_out_too() -> None:
    """A broker that is not there is something it warns of."""
    to = io.StringIO()
    logger.start("engine", "json", to=to)
    consumer = Kafka("127.0.0.1:1").consumer()
    try:
        with pytest.raises(KafkaException):
            consumer.list_topics(timeout=1.0)
        consumer.poll(0.5)
    finally:
        consumer.close()
    said = [line for line in lines(to) if line.get("source") == "librdkafka"]
    assert said
    assert all(line["process"] == "engine" and line["what"] for line in said)


def test_nothing_is_logged_once_a_command() -> None:
    """The modules that a command passes through know no logger (DESIGN 12)."""
    rooms = [*Path(ROOT, "commands").glob("*.py"), *Path(ROOT, "book").glob("*.py")]
    core = [
        Path(ROOT, "engine", f"{name}.py") for name in ("pipeline", "admission", "proof", "worker", "fold")
    ]
    for module in [*rooms, *core]:
        text = module.read_text()
        assert "engine.logger" not in text, module
        assert "import logging" not in text, module

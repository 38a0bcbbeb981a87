"""The real broker for tests: one for each session, or the cluster that DAYBOOK_KAFKA_BOOTSTRAP names."""

import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.broker import Cluster
from engine.log.topic_settings import create
from engine.log.topics import Kafka

_numbers = itertools.count()


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """Where a broker is reached for as long as the session lives."""
    given = os.environ.get("DAYBOOK_KAFKA_BOOTSTRAP")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    try:
        with Cluster(folder) as cluster:
            yield cluster.bootstrap
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> Kafka:
    """A place in the broker that nobody else uses, with its topics, of one partition."""
    return made(kafka_bootstrap, 1)


def elsewhere(bootstrap: str) -> Kafka:
    """A place in a cluster that nobody else uses, without topics."""
    return Kafka(bootstrap, unused_prefix())


def made(bootstrap: str, partitions: int) -> Kafka:
    """A place in a cluster that nobody else uses, with its topics."""
    kafka = elsewhere(bootstrap)
    create(kafka, partitions, replication=1)
    return kafka


def unused_prefix() -> str:
    """What nobody else's topics begin with."""
    return f"t{secrets.token_hex(4)}-{next(_numbers)}"

"""The real broker for tests: one for each session, or the cluster that DAYBOOK_KAFKA_BOOTSTRAP names."""

import fcntl
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
SHORT_SESSIONS = {
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "200",
}
"""With these a broker lets a death be noticed within seconds in KIP-848 too."""


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a broker is reached for as long as the session lives; pytest's workers share one."""
    given = os.environ.get("DAYBOOK_KAFKA_BOOTSTRAP")
    if given:
        yield given
        return
    yield from _own(tmp_path_factory, "kafka", {})


@pytest.fixture(scope="session")
def newer_groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a broker is reached that has short sessions in KIP-848, so that `auto` takes it."""
    yield from _own(tmp_path_factory, "kafka-848", SHORT_SESSIONS)


def _own(factory: pytest.TempPathFactory, name: str, options: dict[str, str]) -> Iterator[str]:
    if "PYTEST_XDIST_WORKER" in os.environ:
        yield _shared(factory.getbasetemp().parent / name, options)
        return
    folder = Path(tempfile.mkdtemp(prefix="dbk", dir="/tmp"))
    try:
        with Cluster(folder, options=options) as cluster:
            yield cluster.bootstrap
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _shared(folder: Path, options: dict[str, str]) -> str:
    """The broker of all workers: who is the first starts it, and it ends with the process that has them."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = folder.with_suffix(".bootstrap")
        if not known.exists():
            cluster = Cluster(folder, options=options, dies_with=os.getppid())
            cluster.start()
            known.write_text(cluster.bootstrap)
        return known.read_text()


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

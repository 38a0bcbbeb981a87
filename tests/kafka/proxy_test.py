"""What the proxy does to a connection, seen by an echo behind it."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.kafka.proxy import Proxy
from tests.terminal import until


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=echo, args=[server], daemon=True).start()
        with Proxy(server.getsockname()[1]) as proxy:
            yield proxy
        server.shutdown(socket.SHUT_RDWR)


def echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=[connection], daemon=True).start()


def answer(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(1 << 16):
            connection.sendall(data)


@contextlib.contextmanager
def connected(proxy: Proxy, timeout_s: float = 30) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout_s) as connection:
        yield connection


def said(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(1 << 16)


def test_what_is_said_passes_both_ways(proxy: Proxy) -> None:
    with connected(proxy) as one, connected(proxy) as other:
        assert said(one, b"hello") == b"hello"
        assert said(other, b"there") == b"there"
    assert proxy.connections == 2


def test_a_cut_ends_what_there_is_and_refuses_what_is_new(proxy: Proxy) -> None:
    with connected(proxy) as one:
        assert said(one, b"hello") == b"hello"
        proxy.become("cut")
        with contextlib.suppress(ConnectionError):
            assert one.recv(10) == b"", "reset, or ended"
    with contextlib.suppress(ConnectionError), connected(proxy) as other:
        assert said(other, b"hello?") == b""
    until(lambda: proxy.refused == 1)
    proxy.become("open")
    with connected(proxy) as one:
        assert said(one, b"again") == b"again"


@pytest.mark.parametrize("condition", ["half_open", "deaf"])
def test_what_is_half_open_swallows_and_stays(proxy: Proxy, condition: str) -> None:
    with connected(proxy, 0.3) as one:
        assert said(one, b"hello") == b"hello"
        proxy.become("half_open" if condition == "half_open" else "deaf")
        with pytest.raises(TimeoutError):
            said(one, b"hello?")
        assert proxy.swallowed == len(b"hello?")
        proxy.become("open")
        with contextlib.suppress(ConnectionError):
            assert said(one, b"still?") == b"", "a stream with a hole in it does not go on"
    with connected(proxy) as one:
        assert said(one, b"again") == b"again"


def test_what_is_delayed_comes_late_and_whole(proxy: Proxy) -> None:
    with connected(proxy) as one:
        proxy.become("delayed")
        assert said(one, b"hello") == b"hello"


def test_nobody_behind_it_is_like_a_broker_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Proxy(port) as proxy, contextlib.suppress(ConnectionError), connected(proxy) as one:
        assert one.recv(10) == b""
        assert proxy.refused == 1

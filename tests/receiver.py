"""A receiver of webhooks that behaves as it is told: answers, fails, stalls, drips, breaks off, lies.

It speaks over plain sockets, so that it can do what no HTTP server would. It checks signatures by itself:
that is written from the specification and shares no code with what it checks.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Got", socket.socket], None]


@dataclass(frozen=True)
class Got:
    """A request that has come in whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


def says(status: int, *more: str, body: str = "") -> Behaviour:
    """Answers with a status, and headers."""

    def behave(got: Got, link: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *more, "", body]
        link.sendall("\r\n".join(lines).encode())

    return behave


def sends(raw: bytes) -> Behaviour:
    """Answers with these bytes and hangs up."""
    return lambda got, link: link.sendall(raw)


def stalls(got: Got, link: socket.socket) -> None:
    """Never answers, and never hangs up."""
    with contextlib.suppress(OSError):
        link.recv(1)


def drips(got: Got, link: socket.socket) -> None:
    """A byte of an answer every 50 ms, which never ends."""
    link.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    with contextlib.suppress(OSError):
        while True:
            link.sendall(b"z")
            time.sleep(0.05)


def floods(got: Got, link: socket.socket) -> None:
    """Headers without end, as fast as it can."""
    with contextlib.suppress(OSError):
        link.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            link.sendall(b"X-More: " + b"y" * 60_000 + b"\r\n")


def verified(got: Got, secret: str, *, within_s: float = 300.0) -> bool:
    """Whether one of the signatures is right, as a receiver has to find out."""
    at = int(got.headers["webhook-timestamp"])
    if abs(time.time() - at) > within_s:
        return False
    key = base64.b64decode(secret.split("_", 1)[1])
    content = f"{got.id}.{at}.{got.body.decode()}"
    mine = base64.b64encode(hmac.digest(key, content.encode(), "sha256")).decode()
    given = [one.split(",", 1) for one in got.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(mine, said) for version, said in given)


@dataclass
class Receiver:
    """Listens on this machine. behave: what it does with each request.

    got: the requests that came in whole.   came: set by each.
    """

    behave: Behaviour = field(default_factory=lambda: says(204))
    tls: ssl.SSLContext | None = None
    got: list[Got] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https://localhost' if self.tls else 'http://127.0.0.1'}:{self.port}/hook?token=t0ps3cret"

    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(link):
            link.settimeout(20)
            if self.tls is not None:
                link = self.tls.wrap_socket(link, server_side=True)
            read = b""
            while b"\r\n\r\n" not in read:
                some = link.recv(65_536)
                if not some:
                    return
                read += some
            head, _, body = read.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
            while len(body) < int(headers["content-length"]):
                body += link.recv(65_536)
            got = Got(method, path, headers, body)
            self.got.append(got)
            self.came.set()
            self.behave(got, link)

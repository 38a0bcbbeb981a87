"""The client of a running engine: sends commands over its socket and waits for their outcomes."""

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from engine.errors import BadFrame, EngineUnreachable, OutcomeUnknown
from engine.frames import (
    Answer,
    Command,
    Done,
    Failed,
    Ping,
    Pong,
    Reply,
    Request,
    Submit,
    reachable,
    receive_reply,
    send,
)
from engine.log.records import Out

_AT_ONCE: Final = 2_000  # commands in a frame
_AT_ONCE_BYTES: Final = 8 << 20
_AHEAD: Final = 4  # frames that are sent before the first one's outcomes are read


class EngineClient:
    """Talks to the engine behind the socket file `path`. Callable from any thread: a call has a connection.

    A process that was forked makes its own connections. Nothing is connected before the first call.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._pid = os.getpid()

    def submit(self, commands: Sequence[Out], timeout_s: float = 60.0) -> list[Answer]:
        """Each command's outcome, in their order, durable when this returns.

        Raises EngineUnreachable, Busy or EngineStopped (no command was taken), or OutcomeUnknown: the
        connection was lost, or the time is over, and some commands may have been decided.
        """
        outcomes: list[Answer] = []
        deadline = time.monotonic() + timeout_s
        with self._connection(deadline) as link:
            asked = 0
            parts = _parts(commands)
            part = next(parts, None)
            waiting = 0
            while waiting or part is not None:
                if part is not None and waiting < _AHEAD:
                    self._send(link, Submit(asked, part), deadline, started=asked > 0)
                    asked, waiting, part = asked + 1, waiting + 1, next(parts, None)
                    continue
                reply = self._receive(link, deadline)
                waiting -= 1
                if isinstance(reply, Failed):
                    error = reply.error()
                    if not outcomes and asked == 1:
                        raise error
                    raise OutcomeUnknown(
                        f"{len(outcomes)} of {len(commands)} were answered, then: {error.what}"
                    )
                if not isinstance(reply, Done) or reply.id != asked - waiting - 1:
                    raise BadFrame("The engine answered something else than was asked.")
                outcomes += reply.outcomes
        return outcomes

    def answers(self, timeout_s: float = 1.0) -> bool:
        """Whether an engine listens and speaks. It may still refuse."""
        deadline = time.monotonic() + timeout_s
        try:
            with self._connection(deadline) as link:
                self._send(link, Ping(0), deadline, started=False)
                return isinstance(self._receive(link, deadline), Pong)
        except (EngineUnreachable, OutcomeUnknown, BadFrame):
            return False

    def close(self) -> None:
        """Closes the connections that nobody uses. The client may be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for link in idle:
            link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _connection(self, deadline: float) -> Iterator[socket.socket]:
        """A connection for one call. It is kept for the next one only if the call went well."""
        link = self._take() or self._connect(deadline)
        try:
            yield link
        except BaseException:
            link.close()
            raise
        with self._lock:
            self._idle.append(link)

    def _take(self) -> socket.socket | None:
        while True:
            with self._lock:
                if self._pid != os.getpid():
                    self._idle, self._pid = [], os.getpid()
                if not self._idle:
                    return None
                link = self._idle.pop()
            # Readable without a question means that the engine has ended.
            if not select.select([link], [], [], 0)[0]:
                return link
            link.close()

    def _connect(self, deadline: float) -> socket.socket:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.settimeout(max(0.001, deadline - time.monotonic()))
            with reachable(self._path) as address:
                link.connect(address)
        except OSError as error:
            link.close()
            raise EngineUnreachable(
                f"No engine listens on {self._path}: {error.strerror or error}."
            ) from error
        return link

    def _send(self, link: socket.socket, message: Request, deadline: float, *, started: bool) -> None:
        try:
            link.settimeout(max(0.001, deadline - time.monotonic()))
            send(link, message)
        except BadFrame as error:
            if started:
                raise OutcomeUnknown(
                    f"The first commands were sent, then: {error.what}", error.advice
                ) from error
            raise
        except OSError as error:
            # An engine that ends the connection has said why.
            with contextlib.suppress(OSError, BadFrame):
                reply = receive_reply(link)
                if isinstance(reply, Failed):
                    raise reply.error() from error
            raise OutcomeUnknown(
                f"The connection to the engine was lost: {error.strerror or error}."
            ) from error

    def _receive(self, link: socket.socket, deadline: float) -> Reply:
        try:
            link.settimeout(max(0.001, deadline - time.monotonic()))
            reply = receive_reply(link)
        except TimeoutError as error:
            raise OutcomeUnknown("No outcome came in time.") from error
        except OSError as error:
            raise OutcomeUnknown(
                f"The connection to the engine was lost: {error.strerror or error}."
            ) from error
        if reply is None:
            raise OutcomeUnknown("The engine ended the connection before the outcome.")
        if isinstance(reply, Failed) and reply.id < 0:
            raise reply.error()
        return reply


def _parts(commands: Sequence[Out]) -> Iterator[list[Command]]:
    """Frames that are small enough to be decided while the next one is sent."""
    part: list[Command] = []
    size = 0
    for out in commands:
        if len(part) == _AT_ONCE or (part and size + len(out.value) > _AT_ONCE_BYTES):
            yield part
            part, size = [], 0
        part.append(Command(out.key, out.value, out.headers))
        size += len(out.value)
    if part:
        yield part

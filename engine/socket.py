"""The embedded engine's Unix socket: commands go in, and each one's outcome comes back after its commit.

The frames are in `engine/frames.py`, the other end in `engine/client.py`. Who may open the socket file may
speak; what they may say is decided by the proof in each command's headers.

The worker's thread is never held up: `answered` puts a batch into a queue. A router thread shares it out
among the requests, and each connection has a thread that reads and one that writes.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Self

from engine.client import EngineClient
from engine.errors import BadFrame, Busy, DaybookError, LogLocked, LogUnavailable
from engine.frames import (
    Answer,
    Done,
    Failed,
    Ping,
    Pong,
    Submit,
    decode_request,
    reachable,
    receive,
    send,
)
from engine.log.records import CommandLog

__all__ = ["EngineClient", "EngineServer"]

_CONNECTIONS: Final = 200
_IN_FLIGHT: Final = 16  # requests of a connection that may wait for their outcomes
_SLOW_S: Final = 10  # a client that takes nothing for so long is dropped
_FLUSH_S: Final = 2.0  # how long `close` waits for outcomes that are on their way out


class EngineServer:
    """Serves one log's worker. path: the socket file, mode 0600; a stale one is replaced.

    Start it when the worker is ready, and close it before the log.
    """

    def __init__(self, path: str | os.PathLike[str], log: CommandLog) -> None:
        self._path = Path(path)
        self._log = log
        self._answered: SimpleQueue[tuple[int, Sequence[Answer]] | None] = SimpleQueue()
        # Held while commands are submitted, so that requests stand here in the order of their offsets and no
        # outcome is looked for before its request stands here. The worker never takes it.
        self._lock = threading.Lock()
        self._asked: deque[_Request] = deque()
        self._connections: set[_Connection] = set()
        self._closing = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._inode = -1
        self._threads = [
            threading.Thread(target=target, name=f"engine socket {target.__name__.strip('_')}", daemon=True)
            for target in (self._accept, self._route)
        ]

    def start(self) -> None:
        """Listens. Raises LogLocked (another engine listens) or LogUnavailable (the path cannot be used)."""
        with contextlib.suppress(OSError), reachable(self._path) as address:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.connect(address)
            raise LogLocked(f"Another engine listens on {self._path}.")
        # Bound under another name, protected, and then moved into place: there is never a moment in which
        # others may connect, and a stale file is replaced at one stroke.
        bound = self._path.with_name(f".{os.getpid()}.sock")
        try:
            bound.unlink(missing_ok=True)
            with reachable(bound) as address:
                self._listener.bind(address)
            bound.chmod(0o600)
            self._listener.listen(_CONNECTIONS)
            self._inode = bound.stat().st_ino
            bound.replace(self._path)
        except OSError as error:
            raise LogUnavailable(f"Could not listen on {self._path}: {error.strerror or error}.") from error
        for thread in self._threads:
            thread.start()

    def answered(self, first_offset: int, outcomes: Sequence[Answer]) -> None:
        """Tells the outcomes of the commands from `first_offset` on, one each, in order, after their commit.

        Returns at once. The sequence must not change afterwards.
        """
        self._answered.put((first_offset, outcomes))

    def close(self) -> None:
        """Takes no more commands, sends the outcomes that are there, and drops who still waits."""
        self._closing = True
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._listener.close()
        self._answered.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_FLUSH_S)
        for connection in list(self._connections):
            connection.finish()
        for connection in list(self._connections):
            connection.join(_FLUSH_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- threads --------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._closing:
            try:
                link, _ = self._listener.accept()
            except OSError:
                time.sleep(0.05)  # out of files, which may pass
                continue
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SLOW_S, 0))
            if len(self._connections) >= _CONNECTIONS:
                with contextlib.suppress(OSError), link:
                    send(link, Failed.of(-1, Busy(f"{_CONNECTIONS} clients are connected.")))
                continue
            connection = _Connection(self, link)
            self._connections.add(connection)
            connection.start()

    def _route(self) -> None:
        while (batch := self._answered.get()) is not None:
            first, outcomes = batch
            end = first + len(outcomes)
            with self._lock:
                while self._asked and self._asked[0].next < end:
                    request = self._asked[0]
                    start, stop = max(request.next, first), min(request.end, end)
                    request.outcomes += outcomes[start - first : stop - first]
                    request.next = stop
                    if stop == request.end:
                        self._asked.popleft()
                        request.connection.replies.put(Done(request.id, request.outcomes))

    # --- for connections ------------------------------------------------------------------------------

    def submit(self, connection: "_Connection", message: Submit) -> None:
        """Queues the commands and remembers who asked. Raises what the log raises."""
        if not message.commands:
            connection.replies.put(Done(message.id, []))
            return
        with self._lock:
            taken = self._log.submit(message.commands)
            self._asked.append(_Request(connection, message.id, taken.start, taken.stop))

    def forget(self, connection: "_Connection") -> None:
        """The connection is over."""
        self._connections.discard(connection)


class _Request:
    """Commands `next` to `end` - 1 of a connection still wait for their outcomes."""

    __slots__ = ("connection", "end", "id", "next", "outcomes")

    def __init__(self, connection: "_Connection", id: int, first: int, end: int) -> None:
        self.connection = connection
        self.id = id
        self.next = first
        self.end = end
        self.outcomes: list[Answer] = []


class _Connection:
    """One client: a thread that reads its requests, and one that writes its replies."""

    def __init__(self, server: EngineServer, link: socket.socket) -> None:
        self._server = server
        self._link = link
        self.replies: SimpleQueue[Done | Pong | Failed | None] = SimpleQueue()
        self._in_flight = threading.Semaphore(_IN_FLIGHT)
        self._over = False
        self._reader = threading.Thread(target=self._read, name="engine socket reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="engine socket writer", daemon=True)

    def start(self) -> None:
        self._reader.start()
        self._writer.start()

    def finish(self) -> None:
        """Reads no more, writes what is there, ends."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RD)
        self.replies.put(None)

    def join(self, timeout_s: float) -> None:
        self._writer.join(timeout_s)

    def _read(self) -> None:
        try:
            while (frame := receive(self._link)) is not None:
                message = decode_request(frame)
                self._in_flight.acquire()
                if self._over:
                    return
                if isinstance(message, Ping):
                    self.replies.put(Pong(message.id))
                else:
                    self._submit(message)
        except BadFrame as error:
            self.replies.put(Failed.of(-1, error))
        except OSError:
            pass  # the client is gone, which is its right
        # Outcomes that are still to come find no one: this client cannot hear them.
        self.replies.put(None)

    def _submit(self, message: Submit) -> None:
        try:
            self._server.submit(self, message)
        except DaybookError as error:
            self.replies.put(Failed.of(message.id, error))

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # a client that is gone or too slow
            while (reply := self.replies.get()) is not None:
                send(self._link, reply)
                self._in_flight.release()
        self._over = True
        self._in_flight.release()
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        # Not before the reader has left it: a closed file's number may be another connection's next.
        self._reader.join()
        self._link.close()
        self._server.forget(self)

"""What goes over the engine's socket.

A frame is its length (4 bytes, big-endian) and a msgpack array that begins with its kind: `submit` and `ping`
go in, `done`, `pong` and `failed` come back. What a client sends has at most 64 MiB. The requests of a
connection are answered in their order, each with its own id; id -1 is of no request, and ends the connection.
"""

import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine import errors
from engine.errors import BadFrame, DaybookError
from engine.log.records import Out

LARGEST_REQUEST: Final = 64 << 20
_LARGEST_REPLY: Final = 1 << 30
_LENGTH_BYTES: Final = 4
_ADDRESS_BYTES: Final = 100  # the system's limit is 107 on Linux, 103 on macOS

Answer = tuple[bytes, ...]
"""The outcome of one command: its events, as stored."""


class Command(Out, array_like=True, frozen=True, gc=False):
    """An `Out` on the wire."""


class Submit(msgspec.Struct, array_like=True, tag="submit", frozen=True, gc=False):
    id: int
    commands: Sequence[Command]


class Ping(msgspec.Struct, array_like=True, tag="ping", frozen=True, gc=False):
    id: int


class Done(msgspec.Struct, array_like=True, tag="done", frozen=True, gc=False):
    """outcomes: one a command, in their order."""

    id: int
    outcomes: list[Answer]


class Pong(msgspec.Struct, array_like=True, tag="pong", frozen=True, gc=False):
    id: int


class Failed(msgspec.Struct, array_like=True, tag="failed", frozen=True, gc=False):
    """None of the request's commands was taken. kind: a class of `engine/errors.py`."""

    id: int
    kind: str
    what: str
    advice: str

    @classmethod
    def of(cls, id: int, error: DaybookError) -> "Failed":
        return cls(id, type(error).__name__, error.what, error.advice)

    def error(self) -> DaybookError:
        """The exception again, for the caller."""
        kind = getattr(errors, self.kind, DaybookError)
        kind = kind if isinstance(kind, type) and issubclass(kind, DaybookError) else DaybookError
        return kind(self.what, self.advice)


Request = Submit | Ping
Reply = Done | Pong | Failed

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def send(link: socket.socket, message: Request | Reply) -> None:
    """Sends one frame. Raises BadFrame where a request is too large, before anything is sent, and OSError."""
    frame = bytearray(_LENGTH_BYTES)
    _encoder.encode_into(message, frame, _LENGTH_BYTES)
    length = len(frame) - _LENGTH_BYTES
    if length > (LARGEST_REQUEST if isinstance(message, Request) else _LARGEST_REPLY):
        raise BadFrame(f"A frame of {length} bytes is too large.", "Send fewer or smaller commands at once.")
    frame[:_LENGTH_BYTES] = length.to_bytes(_LENGTH_BYTES, "big")
    link.sendall(frame)


def receive(link: socket.socket, largest: int = LARGEST_REQUEST) -> bytearray | None:
    """The next frame, None where the other side has ended in between. Raises BadFrame and OSError."""
    head = _exactly(link, _LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if not 0 < length <= largest:
        raise BadFrame(f"A frame cannot have {length} bytes.")
    return _exactly(link, length) or _cut()


def _exactly(link: socket.socket, count: int) -> bytearray:
    """So many bytes, or none where the other side has ended."""
    buffer = bytearray(count)
    view, got = memoryview(buffer), 0
    while got < count:
        new = link.recv_into(view[got:])
        if new == 0:
            return bytearray() if got == 0 else _cut()
        got += new
    return buffer


def _cut() -> bytearray:
    raise ConnectionResetError("the frame was cut off")


def decode_request(frame: bytearray) -> Request:
    """Raises BadFrame."""
    try:
        return _requests.decode(frame)
    except msgspec.MsgspecError as error:
        raise BadFrame(f"A frame cannot be read: {error}.") from error


def receive_reply(link: socket.socket) -> Reply | None:
    """The next reply, None where the engine has ended. Raises BadFrame and OSError."""
    frame = receive(link, _LARGEST_REPLY)
    if frame is None:
        return None
    try:
        return _replies.decode(frame)
    except msgspec.MsgspecError as error:
        raise BadFrame(f"A reply cannot be read: {error}.") from error


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """An address for this socket file while the block lasts.

    A socket's address is short. Where the path is longer, it leads through a link to its folder, made for
    the moment in a private folder of the system's temporary one; nothing needs to know of it later.
    """
    if len(os.fsencode(path)) <= _ADDRESS_BYTES:
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="daybook") as private:
        folder = Path(private) / "d"
        folder.symlink_to(path.parent.resolve())
        yield str(folder / path.name)

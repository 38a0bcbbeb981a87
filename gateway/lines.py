"""Commands as lines of JSON, from a file or standard input. Every line goes to the engine, rubbish too:
what is wrong with a command is the engine's to say, so that each gets its one outcome in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from book.state import SYSTEM_BOOK
from engine.admission import MOST_BYTES
from engine.log.records import Out
from gateway.bounded_lines import HasLines, bounded_lines

_SYSTEM_KEY = SYSTEM_BOOK.encode()
_TOO_LONG = b"(a line of more than %d bytes)" % MOST_BYTES
"""What is sent in place of a line that is too long to be looked at: it is no JSON, so it is refused, and it
says why.
"""


class _Addressed(msgspec.Struct):
    book: str = ""


_decode_addressed = msgspec.json.Decoder(_Addressed).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def read_lines(
    stream: HasLines, stamp: Callable[[bytes, int], bytes] | None = None
) -> Iterator[tuple[int, Out]]:
    """Each line's number, from 1, and the record to send; blank lines are skipped. stamp: see `stamps`;
    without it no byte is changed. In place of a line over the engine's limit goes a note that says so, which
    is refused like the rest.
    """
    for number, value in enumerate(bounded_lines(stream, MOST_BYTES), start=1):
        if value is None:
            yield number, Out(_SYSTEM_KEY, _TOO_LONG)
        elif value.strip():
            if stamp is not None:
                value = stamp(value, number)  # noqa: PLW2901 - the stamped line is the line from here on
            yield number, Out(key_of(value), value)


def key_of(value: bytes) -> bytes:
    """The key of a record with this value: the book it names, or the system book, which answers what names
    none.
    """
    try:
        book = _decode_addressed(value).book.encode()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _SYSTEM_KEY
    return book if 0 < len(book) <= 256 else _SYSTEM_KEY


def stamps(actor: str, now_ms: Callable[[], int]) -> Callable[[bytes, int], bytes]:
    """Fill in what a line leaves out: `actor`, `issued_at_ms` (now) and `id` (from now and the line's
    number).

    For trying things out by hand: a command without an id of its own cannot be sent again safely.
    """
    began_ms = now_ms()

    def stamp(value: bytes, number: int) -> bytes:
        try:
            given = _decode_object(value)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return value
        given.setdefault("id", f"line-{began_ms}-{number}")
        given.setdefault("actor", actor)
        given.setdefault("issued_at_ms", now_ms())
        return _encode(given)

    return stamp

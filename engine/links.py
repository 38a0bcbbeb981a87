"""Links: every commit is a page, and its last event carries a digest over the page and the link before it.

Who holds one link holds all history up to it: nothing before it can change, go missing or trade places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from engine.log.records import LINK, Headers, Out

FIRST_LINK = bytes(32)
"""What the first page links to."""


def next_link(previous: bytes, values: Iterable[bytes]) -> bytes:
    """SHA-256 over the previous link and the page's event bytes in order."""
    return hashlib.sha256(previous + b"".join(values)).digest()


def linked(previous: bytes, outs: list[Out]) -> bytes:
    """Put the page's link on its last event, and return it. The page has at least one event."""
    link = next_link(previous, [out.value for out in outs])
    last = outs[-1]
    outs[-1] = Out(last.key, last.value, (*last.headers, (LINK, link)))
    return link


def link_of(headers: Headers) -> bytes | None:
    """The link that a record carries, None where it is not the last of its page."""
    for name, value in headers:
        if name == LINK:
            return value
    return None

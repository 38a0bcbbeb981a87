r"""Values in COPY's text format: a line a row, columns between tabs, `\N` for nothing.

A row is made by an f-string; that is twice as fast as psycopg's `write_row`. Nothing here may pass on a
character that COPY gives a meaning to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import orjson

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
Escape = Callable[[str], str]


def escape(text: str) -> str:
    """A text that COPY reads back as it was."""
    return text.translate(_ESCAPES)


def escape_for(value: bytes) -> Escape:
    """What to escape the texts of an event with, given its JSON: nothing, where that holds no backslash.

    JSON writes backslashes and all control characters with a backslash, and COPY gives no meaning to others.
    """
    return escape if b"\\" in value else str


def cell(value: str | int | None) -> str:
    """A text, a number or nothing."""
    if value is None:
        return NULL
    return escape(value) if isinstance(value, str) else str(value)


def json_text(value: Any) -> str:
    """Anything as JSON, for a parameter of a statement."""
    return orjson.dumps(value).decode()


def json_cell(value: Any) -> str:
    """Anything as JSON, for a jsonb column."""
    return escape(json_text(value))


def array_cell(texts: Iterable[str]) -> str:
    """Texts, for a text[] column."""
    quoted = ('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in texts)
    return escape("{" + ",".join(quoted) + "}")


@lru_cache(maxsize=8192)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))


def instant(at_ms: int) -> str:
    """A time in ms since 1970 as PostgreSQL reads a timestamptz, and the one way it is written everywhere."""
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}+00"


def instant_or_null(at_ms: int | None) -> str | None:
    """As `instant`, for a parameter of a statement."""
    return None if at_ms is None else instant(at_ms)


def rows_of(lines: Iterable[str]) -> bytes:
    """The lines as COPY takes them."""
    return "".join(lines).encode()

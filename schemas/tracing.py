"""W3C Trace Context on records: which headers a command hands on to its events and to its outcome.

What somebody else's program has put there is bounded and checked, and otherwise left behind; it never decides
anything. https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

PARENT: Final = "traceparent"
STATE: Final = "tracestate"
PARENT_PATTERN: Final = "^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$"
"""Version 00, the only one there is: trace id, parent id, flags. No id is all zeros."""
MOST_STATE: Final = 512
"""Bytes of `tracestate` that are handed on; the standard asks for no more."""

_is_parent = re.compile(PARENT_PATTERN.replace("$", r"\Z").encode()).match
_is_state = re.compile(rb"[\x20-\x7e]+\Z").match


def carried(headers: Iterable[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
    """What of a command's headers goes on: a valid parent, and with it a state that fits. Else nothing."""
    parent = state = None
    for name, value in headers:
        if name == PARENT:
            if parent is not None or not _is_parent(value):
                return ()  # two parents are none
            parent = value
        elif name == STATE and state is None:
            state = value
    if parent is None:
        return ()
    if state is None or len(state) > MOST_STATE or not _is_state(state):
        return ((PARENT, parent),)
    return ((PARENT, parent), (STATE, state))

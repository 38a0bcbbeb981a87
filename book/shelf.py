"""Where the versions of one document stand: the newest number, what is in force, what is still to come."""

from __future__ import annotations

from typing import Any

import msgspec


class Version(msgspec.Struct):
    """A version that takes effect later. body: the whole document, as published."""

    effective_from_ms: int
    digest: str
    body: dict[str, Any]


class Shelf(msgspec.Struct):
    """latest: the newest version's number, whatever became of it.   in_force: the number of the one in force,
    0 for none.   digest, body: of that one.   pending: what takes effect later, by number.
    """

    latest: int = 0
    in_force: int = 0
    digest: str = ""
    body: dict[str, Any] = {}
    pending: dict[int, Version] = {}

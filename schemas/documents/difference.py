"""What differs between two versions of a document, value by value.

Entries of a list that have an `id` are found by it, so that a line that moved is not a change of every line
behind it; the order of such entries is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec


class Change(msgspec.Struct, frozen=True):
    """A value that differs. path: such as `lines[card].rate`.   was, now: None where there is none."""

    path: str
    was: Any
    now: Any


def differences(was: dict[str, Any], now: dict[str, Any]) -> list[Change]:
    """Every value that was another, is new or is gone, by path."""
    before, after = dict(values_in("", was)), dict(values_in("", now))
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted((before.keys() | after.keys()) - {""})
        if path not in before or path not in after or _unlike(before[path], after[path])
    ]


def _unlike(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or bool(one != other)  # true is no 1


def values_in(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value that holds no others, with its path; an empty list or object is such a value."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from values_in(f"{path}.{name}" if path else name, part)
    elif isinstance(value, (list, tuple)) and value:
        names = [one.get("id") if isinstance(one, dict) else None for one in value]
        by_id = all(isinstance(one, str) for one in names) and len(set(names)) == len(names)
        for index, part in enumerate(value):
            yield from values_in(f"{path}[{names[index] if by_id else index}]", part)
    else:
        yield path, [] if value == () else value

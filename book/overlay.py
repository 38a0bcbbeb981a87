"""A book to try things on: decisions and `evolve` see the book as it is, and what they change stays here.

What is read is copied first, part by part, so an overlay costs what is touched and not what the book holds.
Which parts of the state can change is read from its types; see `changeable` for what they may be made of.
"""

from __future__ import annotations

import copy
import datetime
import functools
import heapq
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from book.layers import LayeredDict, LayeredList
from book.state import Book
from book.timers import Timers

SMALL = 32
"""A dict or list of at most so many plain values is copied whole, which is cheaper than a layer."""
PLAIN = (bool, int, str, bytes, types.NoneType, datetime.date)


def overlay(book: Book) -> Book:
    """A book that is equal to this one, and to which anything can happen."""
    copied: Book = layered(book)
    return copied


def layered(value: Any) -> Any:
    """What stands for the value on an overlay: itself where it never changes."""
    return _HOW[type(value)](value)


@functools.cache
def changeable(kind: Any) -> bool:
    """Whether a field of this type holds something that can change in place.

    State is made of plain values, tuples, dicts, lists and structs; a frozen struct was said and never
    changes, and neither does a `dict[str, Any]`, which is somebody's JSON. TypeError for anything else.
    """
    origin = get_origin(kind) or kind
    if origin is Annotated:
        return changeable(get_args(kind)[0])
    if origin is Literal or origin in PLAIN:
        return False
    if origin in (Union, types.UnionType, tuple):
        parts = [changeable(one) for one in get_args(kind) if one is not Ellipsis]  # each is looked at
        return any(parts)
    if origin is dict:
        key, value = get_args(kind)
        if value is Any:
            return False
        assert not changeable(key), "a key does not change"
        changeable(value)
        return True
    if origin is list:
        changeable(get_args(kind)[0])
        return True
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return not origin.__struct_config__.frozen
    raise TypeError(f"an overlay does not know how to copy {kind}")


@functools.cache
def changeable_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct that hold what can change in place."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.__struct_fields__ if changeable(hints[name]))


def _struct(value: Any) -> Any:
    copied = copy.copy(value)
    kind: type[msgspec.Struct] = type(value)
    for name in changeable_fields(kind):
        setattr(copied, name, layered(getattr(value, name)))
    return copied


def _dict(value: dict[Any, Any]) -> dict[Any, Any]:
    if len(value) <= SMALL and all(type(one) in PLAIN for one in value.values()):
        return dict(value.items())
    return LayeredDict(value, layered)


def _list(value: list[Any]) -> list[Any]:
    if len(value) <= SMALL and all(type(one) in PLAIN for one in value):
        return list(value)
    return LayeredList(value, layered)


def _tuple(value: tuple[Any, ...]) -> tuple[Any, ...]:
    copied = tuple(map(layered, value))
    return value if all(one is had for one, had in zip(copied, value, strict=True)) else copied


def _itself(value: Any) -> Any:
    return value


class LayeredTimers(Timers):
    """Timers over others, whose heap is never copied. queue: what was set here; `due` is of both."""

    below: Timers = msgspec.field(default_factory=Timers)

    def next(self) -> tuple[int, str] | None:
        """The (due time, id) that fires next, of those set here and those below that still stand."""
        below = self._next_below()
        if below is None or (self.queue and self.queue[0] < below):
            return super().next()
        return below

    def _next_below(self) -> tuple[int, str] | None:
        """The first entry of the heap below that still stands: children are looked at when their parent does
        not.
        """
        heap = self.below.queue
        looked_at = [(heap[0], 0)] if heap else []
        while looked_at:
            entry, index = heapq.heappop(looked_at)
            if self.due.get(entry[1]) == entry[0]:
                return entry
            for child in (2 * index + 1, 2 * index + 2):
                if child < len(heap):
                    heapq.heappush(looked_at, (heap[child], child))
        return None


def _timers(value: Timers) -> LayeredTimers:
    return LayeredTimers(LayeredDict(value.due, layered), [], value)


class _How(dict[type, Callable[[Any], Any]]):
    """How values of each type are copied; structs are looked at once."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        frozen = issubclass(kind, msgspec.Struct) and kind.__struct_config__.frozen
        if not frozen and not issubclass(kind, msgspec.Struct):
            raise TypeError(f"an overlay does not know how to copy {kind}")
        self[kind] = how = _itself if frozen else _struct
        return how


_HOW = _How(
    {
        **dict.fromkeys(PLAIN, _itself),
        dict: _dict,
        list: _list,
        tuple: _tuple,
        LayeredDict: _dict,
        LayeredList: _list,
        Timers: _timers,
        LayeredTimers: _timers,
    }
)

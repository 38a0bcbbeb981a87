"""A dict and a list that are laid over others: reads fall through, what is read is copied, writes stay here.

What lies below is never changed, and must not be while a layer is in use. They are a dict and a list so that
`evolve` and decisions need not know; only C code that reads their memory directly would not see what is below
(`heapq`, encoders), which is why what is small and plain is copied instead: see `layered`.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, SupportsIndex

MISSING = object()
Layer = Callable[[Any], Any]
"""Gives a copy of a value, or the value itself where it can't be changed."""


class LayeredDict(dict[Any, Any]):
    """`below` with changes: its keys in its order, less those that are gone, then the new ones.

    In its own memory are the values that were read or written.   gone: keys of below that were deleted.
    new: keys that below does not have, or that came again, in the order in which they came.
    """

    __slots__ = ("_below", "_gone", "_layer", "_new")

    def __init__(self, below: Mapping[Any, Any], layer: Layer) -> None:
        super().__init__()
        self._below = below
        self._layer = layer
        self._gone: set[Any] = set()
        self._new: dict[Any, None] = {}

    def __missing__(self, key: Any) -> Any:
        if key in self._gone:
            raise KeyError(key)
        value = self._layer(self._below[key])
        super().__setitem__(key, value)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        value = super().get(key, MISSING)
        if value is not MISSING:
            return value
        return self.__missing__(key) if key in self._below and key not in self._gone else default

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (key in self._below and key not in self._gone)

    def __setitem__(self, key: Any, value: Any) -> None:
        if key not in self._below or key in self._gone:
            self._new[key] = None
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        if key in self._new:
            del self._new[key]
            super().__delitem__(key)
        elif key in self._below and key not in self._gone:
            self._gone.add(key)
            super().pop(key, None)
        else:
            raise KeyError(key)

    def __iter__(self) -> Iterator[Any]:
        gone = self._gone
        for key in self._below:
            if key not in gone:
                yield key
        yield from self._new

    def __reversed__(self) -> Iterator[Any]:
        yield from list(self)[::-1]

    def __len__(self) -> int:
        return len(self._below) - len(self._gone) + len(self._new)

    def __bool__(self) -> bool:
        return len(self) > 0

    def keys(self) -> KeysView[Any]:  # type: ignore[override] # a view of the same kind, over the layer
        return KeysView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override] # as above
        return ValuesView(self)

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override] # as above
        return ItemsView(self)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, default: Any = MISSING) -> Any:
        if key in self:
            value = self[key]
            del self[key]
            return value
        if default is MISSING:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[Any, Any]:
        key = next(reversed(self), MISSING)
        if key is MISSING:
            raise KeyError("the dict is empty")
        return key, self.pop(key)

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def clear(self) -> None:
        super().clear()
        self._new.clear()
        self._gone.update(self._below)

    def copy(self) -> dict[Any, Any]:
        return {key: self[key] for key in self}

    def __or__(self, other: Any) -> Any:
        return {**self, **other}

    def __ror__(self, other: Any) -> Any:
        return {**other, **self}

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self.copy() == dict(other.items())

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # like any dict

    def __repr__(self) -> str:
        return repr(self.copy())


class LayeredList(list[Any]):
    """The first `kept` items of `below`, and then those in its own memory.

    What happens at the end, or to one item, costs what it costs; anything else copies the list once.
    """

    __slots__ = ("_below", "_kept", "_layer", "_read")

    def __init__(self, below: list[Any], layer: Layer) -> None:
        super().__init__()
        self._below = below
        self._kept = len(below)
        self._layer = layer
        self._read: dict[int, Any] = {}

    def _item(self, index: int) -> Any:
        if index >= self._kept:
            return super().__getitem__(index - self._kept)
        value = self._read.get(index, MISSING)
        if value is MISSING:
            value = self._layer(self._below[index])
            self._read[index] = value
        return value

    def _index(self, index: SupportsIndex) -> int:
        place = index.__index__()
        place = place + len(self) if place < 0 else place
        if not 0 <= place < len(self):
            raise IndexError("list index out of range")
        return place

    def _own(self) -> None:
        """Have all of it in memory of its own."""
        if self._kept:
            items = list(self)
            self._kept = 0
            self._read.clear()
            super().__setitem__(slice(None), items)

    def __len__(self) -> int:
        return self._kept + super().__len__()

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Any]:
        index = 0
        while index < len(self):
            yield self._item(index)
            index += 1

    def __reversed__(self) -> Iterator[Any]:
        for index in range(len(self) - 1, -1, -1):
            yield self._item(index)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._item(one) for one in range(*index.indices(len(self)))]
        return self._item(self._index(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            self._own()
            super().__setitem__(index, value)
            return
        place = self._index(index)
        if place < self._kept:
            self._read[place] = value
        else:
            super().__setitem__(place - self._kept, value)

    def __delitem__(self, index: Any) -> None:
        if not isinstance(index, slice):
            place = self._index(index)
            index = slice(place, place + 1)
        start, stop, step = index.indices(len(self))
        if step != 1 or stop < len(self):
            self._own()
            super().__delitem__(index)
        elif start >= self._kept:
            super().__delitem__(slice(start - self._kept, None))
        else:
            super().clear()
            self._kept = start
            for gone in [one for one in self._read if one >= start]:
                del self._read[gone]

    def extend(self, values: Iterable[Any]) -> None:
        for value in list(values):
            self.append(value)

    def __iadd__(self, values: Iterable[Any]) -> LayeredList:  # type: ignore[misc] # as list's
        self.extend(values)
        return self

    def __add__(self, other: Any) -> Any:
        return [*self, *other]

    def insert(self, index: SupportsIndex, value: Any) -> None:
        self._own()
        super().insert(index, value)

    def pop(self, index: SupportsIndex = -1) -> Any:
        value = self[index]
        del self[index]
        return value

    def remove(self, value: Any) -> None:
        del self[self.index(value)]

    def clear(self) -> None:
        del self[:]

    def index(self, value: Any, *within: Any) -> int:
        return list(self).index(value, *within)

    def count(self, value: Any) -> int:
        return list(self).count(value)

    def sort(self, **how: Any) -> None:
        self._own()
        super().sort(**how)

    def reverse(self) -> None:
        self._own()
        super().reverse()

    def copy(self) -> list[Any]:
        return list(self)

    def __contains__(self, value: object) -> bool:
        return any(one is value or one == value for one in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and list(self) == list(iter(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # like any list

    def __repr__(self) -> str:
        return repr(list(self))

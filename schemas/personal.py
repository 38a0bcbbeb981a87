"""Where messages hold personal data: masking by role and erasure by key follow these paths.

The mark stands in the type (`Annotated[str, Personal]`), so a new field is found without being listed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from schemas.fields import Personal


@functools.cache
def personal_fields(message: type[msgspec.Struct]) -> tuple[str, ...]:
    """The paths of a type's personal fields: `name`, or `administrators[].name` within a list's items."""
    hints = get_type_hints(message, include_extras=True)
    return tuple(
        path for field in msgspec.structs.fields(message) for path in _paths(hints[field.name], field.name)
    )


def _paths(hint: Any, path: str) -> Iterator[str]:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        if Personal in marks:
            yield path
        else:
            yield from _paths(inner, path)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from (f"{path}.{inner}" for inner in personal_fields(hint))
    elif isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping):
        yield from _paths(get_args(hint)[1], f"{path}{{}}")
    elif get_origin(hint) in (tuple, list):
        yield from _paths(get_args(hint)[0], f"{path}[]")
    else:
        for inner in get_args(hint):
            yield from _paths(inner, path)

"""The envelopes of commands and events, checked by msgspec on the stream and by pydantic at the edge.

One class, two validators: a type is written once as a `msgspec.Struct`, and pydantic builds its own
schema from the same annotations, so that the fast door and the talkative door accept the same input.
This module must never know a particular command or event.
"""

from __future__ import annotations

import datetime
import re
from typing import Any, Literal, dataclass_transform, get_type_hints

import msgspec
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from schemas.fields import ActorId, BookId, CommandId, Millis

Date = datetime.date


# What msgspec does at run time, mypy is told: fields make the constructor, and nothing can be assigned.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A part of a message: immutable, compared by content. It has a type tag only where it is one of several
    that could stand in its place.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        tag = cls.__struct_config__.tag
        return core_schema_of(cls, handler, tag=None if tag is None else str(tag))


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What is said on the log. The tag `type` is the class's name, never reused with another meaning."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema_of(cls, handler, tag=str(cls.__struct_config__.tag))


class Command(Message, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks for. It gets exactly one outcome.

    id: the caller's own id; (actor, id) names the command for ever, so a retry repeats it unchanged.
    book: the book it is for, which is also the record's key.
    actor: the user or system that asks.
    issued_at_ms: when the caller made it, Unix time in milliseconds.
    """

    id: CommandId
    book: BookId
    actor: ActorId
    issued_at_ms: Millis


class Event(Message, kw_only=True):
    """What happened. The engine fills the envelope when it appends the event; `decide` leaves it alone.

    seq: 1, 2, 3... within the book, without a gap.         book: whose event it is.
    at: book time, Unix milliseconds.                       cause: offset of the command answered, -1 if none.
    epoch: epoch of the log that `cause` counts in.         command, actor, issued_at_ms: of that command.
    timer: id of the timer that fired, in place of a command.
    fingerprint: 16 hex digits over the command's content, on the first event of an outcome that is
        remembered for repeats; empty on every other event.
    """

    seq: int = 0
    book: str = ""
    at: int = 0
    cause: int = -1
    epoch: int = 0
    command: str = ""
    actor: str = ""
    issued_at_ms: int = 0
    fingerprint: str = ""
    timer: str = ""


ENVELOPE = tuple(field.name for field in msgspec.structs.fields(Event))
"""The names of the envelope's fields; everything else in an event is what happened."""


def _iso_date(value: Any) -> Any:
    """Pydantic alone would also take "0", as the days or seconds since 1970, and midnights."""
    if isinstance(value, str) and not _ISO_DATE.fullmatch(value):
        raise ValueError("a date is written YYYY-MM-DD")
    if not isinstance(value, str) and type(value) is not datetime.date:
        raise ValueError("a date is a text, written YYYY-MM-DD")
    return value


_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE = core_schema.no_info_before_validator_function(_iso_date, core_schema.date_schema(strict=False))


def _field_schema(hint: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    if hint is Date:
        return _DATE
    return core_schema.nullable_schema(_DATE) if hint == Date | None else handler.generate_schema(hint)


def core_schema_of(
    cls: type[msgspec.Struct], handler: GetCoreSchemaHandler, tag: str | None, *, tag_required: bool = True
) -> CoreSchema:
    """The same checks for pydantic. tag_required: msgspec asks for no tag where only one type can stand."""
    hints = get_type_hints(cls, include_extras=True)
    fields: dict[str, core_schema.TypedDictField] = {}
    if tag is not None:
        fields["type"] = core_schema.typed_dict_field(
            handler.generate_schema(Literal[tag]), required=tag_required
        )
    for field in msgspec.structs.fields(cls):
        fields[field.name] = core_schema.typed_dict_field(
            _field_schema(hints[field.name], handler), required=field.required
        )
    closed = cls.__struct_config__.forbid_unknown_fields

    def build(given: dict[str, Any]) -> msgspec.Struct:
        given.pop("type", None)
        return cls(**given)

    return core_schema.no_info_after_validator_function(
        build,
        core_schema.typed_dict_schema(
            fields,
            extra_behavior="forbid" if closed else "ignore",
            config=core_schema.CoreConfig(title=cls.__name__, strict=True),
        ),
        ref=f"{cls.__module__}.{cls.__qualname__}",
        serialization=core_schema.plain_serializer_function_ser_schema(msgspec.to_builtins),
    )

"""The contracts as others read them: JSON Schema, AsyncAPI and the catalogue of rejections.

`python -m schemas.export` writes them to `schemas/published/`, where they are committed; a test fails where
they differ from the types. They are made from the types and must never say what these do not, but for the
names of topics and headers. It is the only module of its room that writes files, and nobody imports it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas.catalogue import COMMANDS, EVENTS
from schemas.message import Message
from schemas.personal import personal_fields
from schemas.rejections import CATALOGUE, UNREMEMBERED

VERSION = "1.0.0"
"""Of the contracts. A new type or a new optional field raises the second number; nothing raises the first."""
PUBLISHED = Path(__file__).parent / "published"

_KEYED = "The key is the book's id, placed by murmur2 (librdkafka: partitioner=murmur2_random)."
_ONE_LINE = "Amounts are integers in minor units, times Unix milliseconds. No text holds the character NUL."


def documents() -> dict[str, str]:
    """Every published file's text by its name."""
    made = {
        "commands.schema.json": _schema(COMMANDS, f"A command for Daybook. {_ONE_LINE}"),
        "events.schema.json": _schema(
            EVENTS, f"An event of Daybook. Readers skip fields they don't know. {_ONE_LINE}"
        ),
        "rejections.json": _rejections(),
        "asyncapi.json": _asyncapi(),
    }
    return {name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in made.items()}


def _schema(types: Sequence[type[Message]], description: str) -> dict[str, Any]:
    refs, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for one in _with_parts(types):
        part = parts[one.__name__]
        part["description"] = inspect.cleandoc(one.__doc__ or "")
        for path in personal_fields(one):
            if path in part["properties"]:
                part["properties"][path]["x-personal"] = True
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": description,
        "oneOf": list(refs),
        "$defs": parts,
    }


def _with_parts(types: Iterable[type[msgspec.Struct]]) -> list[type[msgspec.Struct]]:
    """The types and every struct that they are made of, each once."""
    found: dict[type[msgspec.Struct], None] = {}

    def look(kind: Any) -> None:
        if isinstance(kind, msgspec.inspect.StructType):
            if kind.cls not in found:
                found[kind.cls] = None
                for field in kind.fields:
                    look(field.type)
        elif isinstance(kind, msgspec.inspect.VarTupleType):
            look(kind.item_type)
        elif isinstance(kind, msgspec.inspect.UnionType):
            for one in kind.types:
                look(one)

    for one in types:
        look(msgspec.inspect.type_info(one))
    return list(found)


def _rejections() -> dict[str, Any]:
    return {
        reason: {
            "text": entry.text,
            **({"instead": entry.instead} if entry.instead else {}),
            "advice": entry.advice,
            "same_id_is_decided_again": reason in UNREMEMBERED,
        }
        for reason, entry in CATALOGUE.items()
    }


def _asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Daybook",
            "version": VERSION,
            "description": "Commands go in once; each gets exactly one outcome, in the order of its book.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "commands": _channel("daybook.commands", COMMANDS),
            "events": _channel("daybook.events", EVENTS),
        },
        "operations": {
            "decide": _operation("receive", "commands", "Take commands and decide each once."),
            "append": _operation("send", "events", "Append what happened: in order, without gaps by book."),
        },
        "components": {
            "messages": {
                **_messages(COMMANDS, "commands.schema.json", ("key", "mac")),
                **_messages(EVENTS, "events.schema.json", ("link",)),
            }
        },
    }


def _channel(address: str, types: Sequence[type[Message]]) -> dict[str, Any]:
    return {
        "address": address,
        "description": _KEYED,
        "messages": {one.__name__: {"$ref": f"#/components/messages/{one.__name__}"} for one in types},
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _messages(types: Sequence[type[Message]], file: str, headers: Sequence[str]) -> dict[str, Any]:
    return {
        one.__name__: {
            "name": one.__name__,
            "summary": inspect.cleandoc(one.__doc__ or "").splitlines()[0],
            "headers": {"type": "object", "properties": {name: {"type": "string"} for name in headers}},
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": f"./{file}#/$defs/{one.__name__}"},
            },
        }
        for one in types
    }


def main() -> None:
    """Write the published files anew."""
    PUBLISHED.mkdir(exist_ok=True)
    for name, text in documents().items():
        (PUBLISHED / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

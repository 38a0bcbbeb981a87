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

from schemas.alerts import Alert
from schemas.catalogue import COMMANDS, EVENTS
from schemas.outcomes import CommandOutcome
from schemas.personal import personal_fields
from schemas.rejections import CATALOGUE, UNREMEMBERED
from schemas.tracing import MOST_STATE, PARENT, PARENT_PATTERN, STATE

VERSION = "1.0.0"
"""Of the contracts. A new type or a new optional field raises the second number; nothing raises the first."""
PUBLISHED = Path(__file__).parent / "published"

_KEYED = "The key is the book's id, placed by murmur2 (librdkafka: partitioner=murmur2_random)."
_COMMANDS = (
    f"What is asked for. {_KEYED} Producers set acks=all and enable.idempotence=true. A transaction of "
    "several records is allowed, and must be over within a second: a transaction that stands open holds "
    "back every command behind it, of all books of the partition, for as long as its timeout lets it. "
    "So set transaction.timeout.ms to 5000 or less, and never wait for anything between begin and "
    "commit. The engine answers each record that is committed, also one that cannot be read; a record "
    "that was aborted is none."
)
_EVENTS = (
    "What happened: for engines, projectors and auditors, since it holds what only staff may know. "
    f"{_KEYED} Read with isolation.level=read_committed. Each transaction is a page; its last record "
    "carries `link`."
)
_OUTCOMES = (
    "What came of each command, for whoever sent it: exactly one record for each record of the commands "
    "topic, in the order of these, in the partition of the same number. Read with "
    "isolation.level=read_committed. The key is the book whose events the outcome is. To find the "
    "answer to a command, compare `actor` and `command`, or `cause` with the offset that the commands "
    "topic gave it."
)
_ALERTS = (
    "What was noticed, for risk staff only: each alert once, in the partition of its book. The key is the "
    "book. Read with isolation.level=read_committed. The same thing noticed has the same `id`, so a reader "
    "that was stopped and reads again can tell what it has seen. `evidence` names the events behind it."
)
_TRACE: dict[str, Any] = {
    PARENT: {
        "type": "string",
        "pattern": PARENT_PATTERN,
        "description": "W3C Trace Context; carried on to the events of the command and to its outcome.",
    },
    STATE: {"type": "string", "maxLength": MOST_STATE, "description": "Goes with traceparent."},
}
_PROOF: dict[str, Any] = {
    "key": {"type": "string", "description": "Id of the sender's key."},
    "mac": {
        "type": "string",
        "description": "The 16 bytes, as they are, of BLAKE2b over the value, keyed with that key.",
    },
}
_LINK: dict[str, Any] = {
    "link": {
        "type": "string",
        "description": "On a page's last event: the 32 bytes, as they are, of SHA-256 over the link of the "
        "page before it and the values of this one.",
    }
}
_POSITION: dict[str, Any] = {
    "through": {"type": "string", "description": "Of its writer: how far it has read. For nobody else."}
}
_ONE_LINE = "Amounts are integers in minor units, times Unix milliseconds. No text holds the character NUL."


def documents() -> dict[str, str]:
    """Every published file's text by its name."""
    made = {
        "commands.schema.json": _schema(COMMANDS, f"A command for Daybook. {_ONE_LINE}"),
        "events.schema.json": _schema(
            EVENTS, f"An event of Daybook. Readers skip fields they don't know. {_ONE_LINE}"
        ),
        "outcomes.schema.json": _schema((CommandOutcome,), f"What came of a command of Daybook. {_ONE_LINE}"),
        "alerts.schema.json": _schema((Alert,), f"An alert of Daybook. {_ONE_LINE}"),
        "rejections.json": _rejections(),
        "asyncapi.json": _asyncapi(),
    }
    return {name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in made.items()}


def _schema(types: Sequence[type[msgspec.Struct]], description: str) -> dict[str, Any]:
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
            "commands": _channel("daybook.commands", COMMANDS, _COMMANDS, "LogAppendTime"),
            "events": _channel("daybook.events", EVENTS, _EVENTS, "CreateTime"),
            "outcomes": _channel("daybook.outcomes", (CommandOutcome,), _OUTCOMES, "CreateTime"),
            "alerts": _channel("daybook.alerts", (Alert,), _ALERTS, "CreateTime"),
        },
        "operations": {
            "decide": _operation("receive", "commands", "Take commands and decide each once."),
            "append": _operation("send", "events", "Append what happened: in order, without gaps by book."),
            "publish": _operation("send", "outcomes", "Say what came of each command, once."),
            "alert": _operation("send", "alerts", "Say what was noticed in the events, once."),
        },
        "components": {
            "messages": {
                **_messages(COMMANDS, "commands"),
                **_messages(EVENTS, "events"),
                **_messages((CommandOutcome,), "outcomes"),
                **_messages((Alert,), "alerts"),
            },
            "messageTraits": {
                "commands": _trait({**_PROOF, **_TRACE}),
                "events": _trait({**_LINK, **_TRACE}),
                "outcomes": _trait({**_POSITION, **_TRACE}),
                "alerts": _trait({**_POSITION, **_TRACE}),
            },
        },
    }


def _channel(
    address: str, types: Sequence[type[msgspec.Struct]], description: str, times: str
) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {one.__name__: {"$ref": f"#/components/messages/{one.__name__}"} for one in types},
        "bindings": {
            "kafka": {
                "topic": address,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": -1,
                    "retention.bytes": -1,
                    "max.message.bytes": 8 << 20,
                },
                "x-message.timestamp.type": times,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _trait(headers: dict[str, Any]) -> dict[str, Any]:
    """What all messages of a topic have."""
    return {
        "headers": {"type": "object", "properties": headers},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }


def _messages(types: Sequence[type[msgspec.Struct]], channel: str) -> dict[str, Any]:
    return {
        one.__name__: {
            "name": one.__name__,
            "summary": inspect.cleandoc(one.__doc__ or "").splitlines()[0],
            "traits": [{"$ref": f"#/components/messageTraits/{channel}"}],
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": f"./{channel}.schema.json#/$defs/{one.__name__}"},
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

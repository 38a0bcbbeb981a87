"""Who may do what in Kafka: the rights of each role, for ACLs, and nothing beyond them.

The log's promise rests on them: whoever can write events can forge history, and whoever can take an engine's
transactional id can end it. `docs/operations.md` has the same list for people; a test keeps the two alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Resource = Literal["topic", "group", "transactional-id"]


class Right(msgspec.Struct, frozen=True):
    """operations: as `kafka-acls.sh` names them.   name: behind the prefix.   prefixed: or begins so."""

    resource: Resource
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


_READ: Final = ("Read", "Describe")
_WRITE: Final = ("Write", "Describe")

RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "sender": (Right("topic", ".commands", _WRITE),),
    "engine": (
        Right("topic", ".commands", (*_READ, "DescribeConfigs")),
        Right("topic", ".events", ("Read", "Write", "Describe", "DescribeConfigs")),
        Right("topic", ".outcomes", ("Describe", "DescribeConfigs")),
        Right("topic", ".alerts", ("Describe", "DescribeConfigs")),
        Right("transactional-id", "-engine-", _WRITE, prefixed=True),
        Right("group", "-engine", ("Read",)),
    ),
    "projector": (Right("topic", ".events", _READ), Right("group", "-projector", ("Read",))),
    "follower": (
        Right("topic", ".commands", _READ),
        Right("topic", ".events", _READ),
        Right("group", "-follower", ("Read",)),
    ),
    "relay": (
        Right("topic", ".events", _READ),
        Right("topic", ".commands", _WRITE),
        Right("group", "-relay", ("Read",)),
    ),
    "publisher": (
        Right("topic", ".events", _READ),
        Right("topic", ".outcomes", ("Read", "Write", "Describe")),
        Right("transactional-id", "-publisher-", _WRITE, prefixed=True),
        Right("group", "-publisher", ("Read",)),
    ),
    "detection": (
        Right("topic", ".events", _READ),
        Right("topic", ".alerts", ("Read", "Write", "Describe")),
        Right("transactional-id", "-detection-", _WRITE, prefixed=True),
        Right("group", "-detection", ("Read",)),
    ),
    "triage": (
        Right("topic", ".events", _READ),
        Right("topic", ".alerts", _READ),
        Right("topic", ".commands", _WRITE),
        Right("group", "-triage", ("Read",)),
    ),
    "stream": (
        Right("topic", ".events", _READ),
        Right("topic", ".alerts", _READ),
        Right("topic", ".commands", _WRITE),
        Right("topic", ".stream-", ("Read", "Write", "Describe"), prefixed=True),
        Right("group", ".stream", ("Read",)),
    ),
    "risk": (Right("topic", ".alerts", _READ),),
    "downstream": (Right("topic", ".outcomes", _READ),),
    "auditor": (Right("topic", ".commands", _READ), Right("topic", ".events", _READ)),
}
"""The roles, each a user of its own. Readers downstream and of alerts also need `Read` on their own group."""


def commands(role: str, prefix: str, bootstrap: str) -> list[str]:
    """The commands that give a role its rights; `$USER` and `$ADMIN` are the operator's."""
    found = []
    for right in RIGHTS[role]:
        pattern = " --resource-pattern-type prefixed" if right.prefixed else ""
        operations = " ".join(f"--operation {one}" for one in right.operations)
        found.append(
            f"kafka-acls.sh --bootstrap-server {bootstrap} --command-config $ADMIN --add "
            f"--allow-principal User:$USER --{right.resource} {prefix}{right.name}{pattern} {operations}"
        )
    return found

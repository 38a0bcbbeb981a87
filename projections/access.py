"""`persons`, `actors` (users and systems), `roles` and `grants`: who may do what now."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from book.books import ADMINISTRATOR
from projections.copying import json_text
from projections.tables import Batch, Change, Execute, Index, Table
from schemas.access import (
    ActorReinstated,
    ActorSuspended,
    Permit,
    PersonRegistered,
    RoleDefined,
    RoleGranted,
    RoleRevoked,
    SystemRegistered,
    UserRegistered,
)
from schemas.books import BookOpened, SystemBookOpened

PERSONS = Table(
    "persons",
    (("book", "text NOT NULL"), ("person", "text NOT NULL"), ("name", "text NOT NULL")),
    key=("book", "person"),
    personal=("name",),
)
ACTORS = Table(
    "actors",
    (
        ("book", "text NOT NULL"),
        ("actor", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("person", "text NOT NULL"),
        ("party", "text NOT NULL"),
        ("suspended", "boolean NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "actor"),
)
ROLES = Table(
    "roles",
    (
        ("book", "text NOT NULL"),
        ("role", "text NOT NULL"),
        ("permits", "jsonb NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "role"),
)
GRANTS = Table(
    "grants",
    (
        ("book", "text NOT NULL"),
        ("actor", "text NOT NULL"),
        ("role", "text NOT NULL"),
        ("granted_by", "text NOT NULL"),
        ("seq", "bigint NOT NULL"),
    ),
    key=("book", "actor", "role"),
    indexes=(Index("grants_role", "(book, role)"),),
)
TABLES = (PERSONS, ACTORS, ROLES, GRANTS)

# An administrator may be listed twice with the same person; the last one counts, as in the state.
_PERSON = (
    "INSERT INTO {schema}.persons VALUES (%s, %s, %s) ON CONFLICT (book, person) "
    "DO UPDATE SET name = excluded.name"
)
_ACTOR = "INSERT INTO {schema}.actors VALUES (%s, %s, %s, %s, %s, FALSE, %s)"
_SUSPEND = "UPDATE {schema}.actors SET suspended = %s, seq = %s WHERE book = %s AND actor = %s"
_ROLE = (
    "INSERT INTO {schema}.roles VALUES (%s, %s, %s::jsonb, %s) ON CONFLICT (book, role) "
    "DO UPDATE SET permits = excluded.permits, seq = excluded.seq"
)
_GRANT = "INSERT INTO {schema}.grants VALUES (%s, %s, %s, %s, %s)"
_REVOKE = "DELETE FROM {schema}.grants WHERE book = %s AND actor = %s AND role = %s"


def changes(batch: Batch) -> Iterator[Change]:
    """One statement an event; all of them are rare."""
    for event in batch.others:
        book, seq = event.book, event.seq
        match event:
            case SystemBookOpened() | BookOpened():
                yield Execute(_ROLE, [(book, ADMINISTRATOR, _permits((Permit(command="*"),)), seq)])
                for one in event.administrators:
                    yield Execute(_PERSON, [(book, one.person, one.name)])
                    yield Execute(_ACTOR, [(book, one.user, "user", one.person, "", seq)])
                    yield Execute(_GRANT, [(book, one.user, ADMINISTRATOR, event.actor, seq)])
            case PersonRegistered():
                yield Execute(_PERSON, [(book, event.person, event.name)])
            case UserRegistered():
                yield Execute(_ACTOR, [(book, event.user, "user", event.person, event.party, seq)])
            case SystemRegistered():
                yield Execute(_ACTOR, [(book, event.system, "system", "", "", seq)])
            case ActorSuspended():
                yield Execute(_SUSPEND, [(True, seq, book, event.subject)])
            case ActorReinstated():
                yield Execute(_SUSPEND, [(False, seq, book, event.subject)])
            case RoleDefined():
                yield Execute(_ROLE, [(book, event.role, _permits(event.permits), seq)])
            case RoleGranted():
                yield Execute(_GRANT, [(book, event.subject, event.role, event.actor, seq)])
            case RoleRevoked():
                yield Execute(_REVOKE, [(book, event.subject, event.role)])
            case _:
                pass


def _permits(permits: tuple[Permit, ...]) -> str:
    return json_text(msgspec.to_builtins(permits))

"""What is not derived of webhooks: endpoints, how far the alerts were read, what is still to be delivered.

It stands in PostgreSQL, in the schema `webhooks`: a rebuild of the read models never touches it. A message
is queued for every endpoint that wants it in the transaction that moves the reading on, and is taken out only
when its receiver has said yes; so a kill anywhere loses nothing, and at worst posts once more.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import dict_row

from projections.database import DatabaseUnavailable, Session, first_line

MOST_ENDPOINTS: Final = 32
"""Each has a thread and a session."""
_LOCK: Final = 0x77_6562_686F_6F6B
_TABLES: Final = (
    "CREATE SCHEMA IF NOT EXISTS webhooks",
    "REVOKE ALL ON SCHEMA webhooks FROM PUBLIC",
    """CREATE TABLE IF NOT EXISTS webhooks.endpoints (
        id text PRIMARY KEY, url text NOT NULL, kind text NOT NULL, book text NOT NULL,
        confidence integer NOT NULL, secret bytea NOT NULL, old_secret bytea, old_until timestamptz,
        disabled text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE IF NOT EXISTS webhooks.places (
        partition integer PRIMARY KEY, event_offset bigint NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS webhooks.messages (
        endpoint text NOT NULL REFERENCES webhooks.endpoints ON DELETE CASCADE, message text NOT NULL,
        body bytea NOT NULL, attempts integer NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now(),
        is_dead boolean NOT NULL DEFAULT false, why text NOT NULL DEFAULT '',
        queued_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (endpoint, message))""",
    "CREATE INDEX IF NOT EXISTS messages_due ON webhooks.messages (endpoint, due_at) WHERE NOT is_dead",
)


class Endpoint(msgspec.Struct, frozen=True):
    """Who wants alerts. kind, book: of these only, empty for all.   confidence: the least, per mille.

    secret, old_secret: sealed; the old one signs, too, until `old_until`.   disabled: why it gets nothing.
    """

    id: str
    url: str
    kind: str
    book: str
    confidence: int
    secret: bytes
    old_secret: bytes | None
    old_until: datetime.datetime | None
    disabled: str


class Message(msgspec.Struct, frozen=True):
    """What is to be posted. message: its id, the same at every attempt.   attempts: how many there were."""

    endpoint: str
    message: str
    body: bytes
    attempts: int


class Dead(msgspec.Struct, frozen=True):
    """What could not be delivered. why: of the last attempt."""

    endpoint: str
    message: str
    attempts: int
    why: str
    queued_at: datetime.datetime


class Queue(msgspec.Struct, frozen=True):
    """How an endpoint does: what waits for it, since when, and what is given up."""

    waiting: int
    oldest: datetime.datetime | None
    dead: int


class Store:
    """Over one session, with a transaction for each call. Raises DatabaseUnavailable."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def make(self) -> None:
        """See to it that the tables are there; several processes may."""
        try:
            with self._session.transaction():
                self._session.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                for statement in _TABLES:
                    self._session.execute(statement.encode())
        except psycopg.Error as error:
            raise DatabaseUnavailable(f"Webhooks have no tables: {first_line(error)}.") from error

    # --- endpoints ----------------------------------------------------------------------------------------

    def endpoints(self) -> list[Endpoint]:
        """All of them, by id."""
        found = self._rows(
            "SELECT id, url, kind, book, confidence, secret, old_secret, old_until, disabled "
            "FROM webhooks.endpoints ORDER BY id"
        )
        return msgspec.convert(found, list[Endpoint])

    def endpoint(self, name: str) -> Endpoint | None:
        """One of them."""
        return next((one for one in self.endpoints() if one.id == name), None)

    def add(self, one: Endpoint) -> bool:
        """False where there is one of this id."""
        return bool(
            self._rows(
                "INSERT INTO webhooks.endpoints (id, url, kind, book, confidence, secret) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
                *(one.id, one.url, one.kind, one.book, one.confidence, one.secret),
            )
        )

    def remove(self, name: str) -> bool:
        """With all that waits for it; False where there is none."""
        return bool(self._rows("DELETE FROM webhooks.endpoints WHERE id = %s RETURNING id", name))

    def disable(self, name: str, why: str) -> None:
        """It gets nothing more; what waits for it, waits."""
        self._rows("UPDATE webhooks.endpoints SET disabled = %s WHERE id = %s RETURNING id", why, name)

    def rotate(self, name: str, secret: bytes, old_for_s: float) -> bool:
        """A new secret, beside which the old one signs for a while; False where there is no such endpoint."""
        return bool(
            self._rows(
                "UPDATE webhooks.endpoints SET old_secret = secret, secret = %s, "
                "old_until = now() + %s * interval '1 second' WHERE id = %s RETURNING id",
                *(secret, old_for_s, name),
            )
        )

    # --- the alerts' log ----------------------------------------------------------------------------------

    def place(self, partition: int) -> int | None:
        """Offset of the newest alert that was read; None where none ever was."""
        found = self._rows("SELECT event_offset FROM webhooks.places WHERE partition = %s", partition)
        return int(found[0]["event_offset"]) if found else None

    def begin(self, partition: int, offset: int) -> None:
        """Where reading begins, unless it has."""
        self._rows(
            "INSERT INTO webhooks.places VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING partition",
            *(partition, offset),
        )

    def queue(
        self, partition: int, after: int, through: int, messages: Sequence[tuple[str, str, bytes]]
    ) -> bool:
        """Queue (endpoint, message, body) and move the reading on from `after`, both or neither.

        False where somebody else has moved it meanwhile. Endpoints that are gone get nothing.
        """
        try:
            return self._queued(partition, after, through, messages)
        except psycopg.Error as error:
            raise _unavailable(error) from error

    def _queued(
        self, partition: int, after: int, through: int, messages: Sequence[tuple[str, str, bytes]]
    ) -> bool:
        with self._session.transaction(), self._session.cursor() as cursor:
            moved = cursor.execute(
                b"UPDATE webhooks.places SET event_offset = %s WHERE partition = %s AND event_offset = %s",
                (through, partition, after),
            )
            if moved.rowcount != 1:
                return False
            cursor.executemany(
                b"INSERT INTO webhooks.messages (endpoint, message, body) SELECT id, %s, %s "
                b"FROM webhooks.endpoints WHERE id = %s ON CONFLICT DO NOTHING",
                [(message, body, endpoint) for endpoint, message, body in messages],
            )
        return True

    # --- messages -----------------------------------------------------------------------------------------

    def claim(self, endpoint: str, for_s: float) -> Message | None:
        """What is due first for an endpoint, which nobody else gets for so long; None where nothing is."""
        found = self._rows(
            "UPDATE webhooks.messages SET due_at = now() + %s * interval '1 second' "
            "WHERE (endpoint, message) = (SELECT endpoint, message FROM webhooks.messages "
            "WHERE endpoint = %s AND NOT is_dead AND due_at <= now() "
            "ORDER BY due_at, message LIMIT 1 FOR UPDATE SKIP LOCKED) "
            "RETURNING endpoint, message, body, attempts",
            *(for_s, endpoint),
        )
        return msgspec.convert(found[0], Message) if found else None

    def delivered(self, one: Message) -> None:
        """Its receiver has it."""
        self._rows(
            "DELETE FROM webhooks.messages WHERE endpoint = %s AND message = %s RETURNING message",
            *(one.endpoint, one.message),
        )

    def failed(self, one: Message, why: str, again_s: float | None) -> None:
        """An attempt has failed. again_s: when there is another; None for never, so it is a dead letter."""
        self._rows(
            "UPDATE webhooks.messages SET attempts = attempts + 1, why = %s, is_dead = %s, "
            "due_at = now() + %s * interval '1 second' WHERE endpoint = %s AND message = %s "
            "RETURNING message",
            *(why, again_s is None, again_s or 0.0, one.endpoint, one.message),
        )

    def put_back(self, one: Message) -> None:
        """It was claimed and not tried."""
        self._rows(
            "UPDATE webhooks.messages SET due_at = now() WHERE endpoint = %s AND message = %s "
            "RETURNING message",
            *(one.endpoint, one.message),
        )

    def dead(self, endpoint: str | None = None, limit: int = 1_000) -> list[Dead]:
        """The dead letters, the oldest first."""
        found = self._rows(
            "SELECT endpoint, message, attempts, why, queued_at FROM webhooks.messages "
            "WHERE is_dead AND (%s::text IS NULL OR endpoint = %s) ORDER BY queued_at, message LIMIT %s",
            *(endpoint, endpoint, limit),
        )
        return msgspec.convert(found, list[Dead])

    def resend(self, endpoint: str, message: str | None = None) -> int:
        """Dead letters, all or one, begin anew, and an endpoint that was disabled is no longer; how many."""
        with self._session.transaction():
            self._rows("UPDATE webhooks.endpoints SET disabled = '' WHERE id = %s RETURNING id", endpoint)
            return len(
                self._rows(
                    "UPDATE webhooks.messages SET is_dead = false, attempts = 0, due_at = now() "
                    "WHERE endpoint = %s AND is_dead AND (%s::text IS NULL OR message = %s) "
                    "RETURNING message",
                    *(endpoint, message, message),
                )
            )

    def state(self, endpoint: str) -> Queue:
        """What waits for an endpoint."""
        (found,) = self._rows(
            "SELECT count(*) FILTER (WHERE NOT is_dead) AS waiting, count(*) FILTER (WHERE is_dead) AS dead, "
            "min(queued_at) FILTER (WHERE NOT is_dead) AS oldest FROM webhooks.messages WHERE endpoint = %s",
            endpoint,
        )
        return msgspec.convert(found, Queue)

    def _rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        try:
            with self._session.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(statement.encode(), parameters or None).fetchall()
        except psycopg.Error as error:
            raise _unavailable(error) from error


def _unavailable(error: psycopg.Error) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"Webhooks cannot be stored: {first_line(error)}.")

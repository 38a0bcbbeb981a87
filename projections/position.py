"""The position: how far the read models of a partition are, and that they are this log's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

import msgspec

from engine.errors import DaybookError, LogCorrupt
from engine.log.records import BEFORE_FIRST, Record
from projections.database import Session, execute
from projections.layout import LIVE


class EventLog(Protocol):
    """What a projector needs of a log: its events, in order."""

    def events(self, after: int) -> Iterator[Record]:
        """Every stored event behind `after`."""
        ...


class OtherLog(DaybookError):
    """The read models were projected from another log than this one, a longer one, or from where this one
    was kept before it was moved: the audit log names events by their offsets.
    """

    advice = "Check DAYBOOK_DATABASE_URL and the log, or build them anew with `daybook replay rebuild`."


class ShorterLog(OtherLog):
    """The read models are ahead of what can be seen of this log: of another one, or late to be seen here."""


def digest_of(record: Record) -> str:
    """By which an event is known again."""
    return hashlib.blake2b(record.value, digest_size=16).hexdigest()


class Position(msgspec.Struct, frozen=True):
    """The newest event in the read models. digest: by which it is known again."""

    offset: int
    digest: str

    @classmethod
    def of(cls, record: Record) -> Position:
        return cls(record.offset, digest_of(record))


def position(session: Session, partition: int) -> int | None:
    """The offset of the newest event in the read models, None where the partition has no row yet."""
    found = execute(
        session, f"SELECT event_offset FROM {LIVE}.position WHERE partition = %s", partition
    ).fetchone()
    return None if found is None else int(found[0])


def begin(session: Session, partition: int) -> None:
    """Make the partition's row, before the first event, where it is missing."""
    statement = f"INSERT INTO {LIVE}.position VALUES (%s, %s, '') ON CONFLICT DO NOTHING"
    execute(session, statement, partition, BEFORE_FIRST)


def stored(session: Session, partition: int) -> Position:
    """The partition's row, which has to be there."""
    found = execute(
        session, f"SELECT event_offset, event_digest FROM {LIVE}.position WHERE partition = %s", partition
    ).fetchone()
    assert found is not None, "a partition that is projected has its row"
    return Position(int(found[0]), str(found[1]))


def recall(at: Position, log: EventLog) -> int:
    """The offset of the position, which must be one of this log's. Raises OtherLog, ShorterLog."""
    if at.offset > BEFORE_FIRST:
        try:
            record = next(iter(log.events(at.offset - 1)), None)
        except LogCorrupt:  # where reading says by itself that it cannot be there
            record = None
        if record is None:
            raise ShorterLog(f"The read models stand at event {at.offset}, and the log ends before that.")
        if Position.of(record) != at:
            raise OtherLog(f"The read models stand at event {at.offset}, which is not in this log.")
    return at.offset


def move(session: Session, partition: int, expected: int, to: Position) -> bool:
    """Move the position from where it is expected to be. False, and nothing is changed, where it is not."""
    moved = execute(
        session,
        f"UPDATE {LIVE}.position SET event_offset = %s, event_digest = %s "
        "WHERE partition = %s AND event_offset = %s",
        *(to.offset, to.digest, partition, expected),
    )
    return moved.rowcount == 1

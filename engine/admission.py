"""Admission: is the record a command at all, is it where it belongs, and did its actor really send it?"""

from __future__ import annotations

import msgspec

from commands.permission import FOR_PEOPLE
from engine.log.partitioning import ONLY, Place
from engine.log.records import Record
from engine.proof import Keyring
from schemas.catalogue import Undecodable, decode_command
from schemas.message import Command
from schemas.rejections import Rejection, reject

MOST_BYTES = 4 * 1024 * 1024
"""The largest record that is looked at."""


class Admission(msgspec.Struct, frozen=True):
    """keyring: the keys that prove an actor; None where access to the log is the proof (tests, replay)."""

    keyring: Keyring | None = None

    def admit(self, record: Record, place: Place = ONLY) -> Command | Rejection:
        """The command, or why there is none: too_large, undecodable, wrong_partition, actor_unproven.

        place: the partition that the record stands in.
        """
        value = record.value
        if len(value) > MOST_BYTES:
            return reject("too_large", bytes=len(value), most=MOST_BYTES)
        try:
            command = decode_command(value)
        except Undecodable as error:
            return Rejection("undecodable", {"problem": _printable(str(error)), **_claimed(value)})
        if record.key != command.book.encode() or not place.holds(record.key):
            return reject("wrong_partition", book=command.book, id=command.id)
        if self.keyring is not None and not self.keyring.proves(
            record.headers, value, command.actor, in_person=type(command) in FOR_PEOPLE
        ):
            return reject("actor_unproven", actor=command.actor, id=command.id)
        return command


class _Claimed(msgspec.Struct):
    id: str = ""


_decode_claimed = msgspec.json.Decoder(_Claimed).decode


def _claimed(value: bytes) -> dict[str, int | str]:
    """The id that an undecodable record claims to have, for its sender to find the answer by."""
    try:
        claimed = _printable(_decode_claimed(value).id)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return {"id": claimed} if claimed else {}


def _printable(text: str) -> str:
    """At most 200 characters that PostgreSQL and a terminal can take."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:200])

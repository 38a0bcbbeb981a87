"""Snapshots: a partition's folded state in a file or object, so that a start folds only the tail of the log.

A follower writes them, never the engine. Each stands in a folder named by the shape of the state, so that a
release only finds its own, and is named by its offset; each partition has a folder of its own. A snapshot is
a convenience and proves nothing: what is damaged, of another log or ahead of it is passed over, and the log
is folded from further back.
"""

from __future__ import annotations

import gc
import hashlib
from pathlib import Path
from typing import Final

import msgspec

from book.digest import schema_digest
from book.state import Partition
from engine.errors import LogCorrupt
from engine.fold import Folded
from engine.links import link_of
from engine.log.records import BEFORE_FIRST, BookLog
from engine.places import Place, PlaceFailed, place_at

KEEP: Final = 3
_MAGIC: Final = b"daybook snapshot 1\n"
_DIGEST_BYTES: Final = 32
_SUFFIX: Final = ".snapshot"


class _Stored(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a file holds behind its magic and its digest."""

    schema: str
    offset: int
    link: bytes
    partition: Partition


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


def encode_snapshot(folded: Folded) -> bytes:
    """The state and its place as bytes: magic, SHA-256 of the rest, the rest as msgpack."""
    stored = _Stored(schema_digest(), folded.offset, folded.link, folded.partition)
    body = _encoder.encode(stored)
    return b"".join((_MAGIC, hashlib.sha256(body).digest(), body))


def decode_snapshot(content: bytes) -> Folded | None:
    """The state as it was encoded, to the order of its keys; None where it is damaged or of another shape."""
    start = len(_MAGIC) + _DIGEST_BYTES
    body = memoryview(content)[start:]
    if content[:start] != _MAGIC + hashlib.sha256(body).digest():
        return None
    collecting = gc.isenabled()
    gc.disable()  # what is being made is all needed, and would be searched for garbage again and again
    try:
        stored = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None
    finally:
        if collecting:
            gc.enable()
    if stored.schema != schema_digest():
        return None
    _share_keys(stored.partition)
    return Folded(stored.partition, stored.offset, stored.link)


def _share_keys(partition: Partition) -> None:
    """A remembered key stands in two places: one string for both, as after a fold, halves their memory."""
    for book in partition.books.values():
        one = {key: key for key in book.repeats.seen}
        for bucket in book.repeats.buckets:
            bucket.keys = [one.get(key, key) for key in bucket.keys]


def write_snapshot(directory: Path | Place, folded: Folded, keep: int = KEEP) -> Path:
    """Write the state, durable when this returns, and drop all but the newest `keep` of its shape.

    Raises PlaceFailed, OSError.
    """
    folder = _shaped(directory)
    path = folder.write(_name(folded), encode_snapshot(folded))
    # By age, not by offset: those of a longer log that was set back would otherwise outlive all new ones.
    for old in folder.oldest_first(_SUFFIX)[:-keep]:
        folder.drop(old)
    return Path(path)


def newest_s(directory: Path | Place) -> float | None:
    """When the newest snapshot of this release's shape was written, in seconds since 1970, if there is one.

    Raises PlaceFailed.
    """
    return _shaped(directory).newest_s(_SUFFIX)


def load_newest(directory: Path | Place, log: BookLog, before: int | None = None) -> Folded | None:
    """The newest snapshot of this release's shape that belongs to the log's history, or None.

    before: only one of the state before this offset.

    What cannot be read is passed over. Raises PlaceFailed where the place as a whole cannot be.
    """
    folder = _shaped(directory)
    for name in sorted(folder.names(_SUFFIX), key=_newness, reverse=True):
        try:
            folded = decode_snapshot(folder.read(name))
        except (OSError, PlaceFailed):
            continue
        if folded is None or (before is not None and folded.offset >= before):
            continue
        if belongs(folded, log):
            return folded
    return None


def belongs(folded: Folded, log: BookLog) -> bool:
    """Whether the log holds, at the state's offset, the event with the state's link."""
    if folded.offset <= BEFORE_FIRST:
        return False
    try:
        record = next(iter(log.events(folded.offset - 1)), None)
    except LogCorrupt:  # the log ends before that, or begins behind it
        return False
    return record is not None and record.offset == folded.offset and link_of(record.headers) == folded.link


def _shaped(directory: Path | Place) -> Place:
    place = directory if isinstance(directory, Place) else place_at(directory)
    return place.of(schema_digest()[:16])


def _name(folded: Folded) -> str:
    """By epoch and offset: in a new epoch, offsets may count from 0 again."""
    epoch = folded.partition.epoch
    return f"{f'{epoch}-' if epoch else ''}{folded.offset:020d}{_SUFFIX}"


def _newness(name: str) -> tuple[int, str]:
    epoch, _, offset = name.rpartition("-")
    return int(epoch) if epoch.isdecimal() else 0, offset

"""Snapshots: a partition's folded state in a file, so that a start folds only the tail of the log.

A follower writes them, never the engine. Each stands in a folder named by the shape of the state, so that a
release only finds its own, and in a file named by its offset. A snapshot is a convenience and proves nothing:
what is damaged, of another log or ahead of it is passed over, and the log is folded from further back.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from book.digest import schema_digest
from book.state import Partition
from engine.files import write_whole
from engine.fold import Folded
from engine.links import link_of
from engine.log.records import BEFORE_FIRST, BookLog

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
    try:
        stored = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return None
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


def write_snapshot(directory: Path, folded: Folded, keep: int = KEEP) -> Path:
    """Write the state, durable when this returns, and drop all but the newest `keep` of its shape."""
    folder = directory / schema_digest()[:16]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{folded.offset:020d}{_SUFFIX}"
    write_whole(path, encode_snapshot(folded))
    # By age, not by offset: those of a longer log that was set back would otherwise outlive all new ones.
    for old in sorted(folder.glob(f"*{_SUFFIX}"), key=lambda one: one.stat().st_mtime_ns, reverse=True)[
        keep:
    ]:
        old.unlink(missing_ok=True)
    return path


def load_newest(directory: Path, log: BookLog) -> Folded | None:
    """The newest snapshot of this release's shape that belongs to the log's history, or None."""
    folder = directory / schema_digest()[:16]
    for path in sorted(folder.glob(f"*{_SUFFIX}"), reverse=True):
        try:
            folded = decode_snapshot(path.read_bytes())
        except OSError:
            continue
        if folded is not None and belongs(folded, log):
            return folded
    return None


def belongs(folded: Folded, log: BookLog) -> bool:
    """Whether the log holds, at the state's offset, the event with the state's link."""
    if folded.offset <= BEFORE_FIRST:
        return False
    record = next(iter(log.events(folded.offset - 1)), None)
    return record is not None and record.offset == folded.offset and link_of(record.headers) == folded.link

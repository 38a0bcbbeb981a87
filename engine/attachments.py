"""Attachments of cases: encrypted, in a folder or an object store, named by what they hold.

The log has the digest, size and media type of each, by command; the bytes are here, before the command is
sent. So an attachment that the log names is whole here, and what is here and in no log was left by somebody
who broke off in between. Reading one back proves that it is what the log says, byte for byte.
Nothing here may keep a whole attachment in memory, or write one readable to disk unless it was asked to.

An object: a line that says what it is, then chunks of 64 KiB, each encrypted with its number and whether it
is the last (the STREAM construction; Hoang, Reyhanitabar, Rogaway and Vizár 2015), so that none can be
changed, left out or moved, and the end cannot be cut off.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from engine.attachment_keys import AttachmentErased, AttachmentKeys, Erased
from engine.errors import DaybookError, WrongUse
from engine.files import UNFINISHED, writing_whole
from engine.places import Place

MOST_BYTES: Final = 64 << 20
ENDING: Final = ".attachment"
_CHUNK: Final = 64 << 10
_TAG: Final = 16
_MAGIC: Final = b"daybook attachment 1\n"


class BadAttachment(WrongUse):
    """A file cannot be attached: it is too large, no plain file, or changed while it was read."""

    advice = f"Attach a plain file of at most {MOST_BYTES >> 20} MiB that nobody is writing."


class AttachmentMissing(DaybookError):
    """The log names an attachment whose bytes are not in the store."""

    advice = "Check DAYBOOK_ATTACHMENTS; else restore the store, or attach the same file again."


class AttachmentDamaged(DaybookError):
    """The bytes in the store are not those that were attached."""

    advice = "Restore the store from a copy, or attach the same file again: only the same bytes are taken."


class Attached(msgspec.Struct, frozen=True):
    """An attachment as the log names it. digest: SHA-256 of its bytes, hex.   size: in bytes."""

    book: str
    case: str
    digest: str
    size: int


class LeftOver(msgspec.Struct, frozen=True):
    """Something in the store that nothing names. has_bytes: else it is a key alone.

    begun_s: when, in seconds since 1970; 0 where it cannot be in use any more. Somebody who is attaching a
    file just now has one too, until the command is answered or, where it waits for approval, approved.
    """

    name: str
    has_bytes: bool
    begun_s: float


class Attachments:
    """The store of a home. place: where the objects are.   keys: what reads them."""

    def __init__(self, place: Place, keys: AttachmentKeys) -> None:
        self._place = place
        self._keys = keys

    def __str__(self) -> str:
        return str(self._place)

    def put(self, book: str, case: str, path: Path) -> Attached:
        """Keep a file, durable and read back when this returns. What is there already stays as it is.

        Raises BadAttachment, AttachmentErased, PlaceFailed.
        """
        with _plain_file(path) as stream:
            digest, size = _digest(stream, path)
            attached = Attached(book, case, digest, size)
            name = self._keys.name(book, case, digest)
            key = self._keys.make(name)
            with suppress(AttachmentMissing, AttachmentDamaged):
                self.check(attached)
                return attached
            stream.seek(0)
            with self._place.writing(name + ENDING) as out:
                if _encrypt(stream, out, key, name) != (digest, size):
                    raise BadAttachment(f"{path} changed while it was read.")
        self.check(attached)
        return attached

    def read(self, attached: Attached) -> Iterator[bytes]:
        """Its bytes in parts, each proven before it is given, and the whole before this ends.

        Raises AttachmentMissing, AttachmentDamaged, AttachmentErased, AttachmentKeyLost, PlaceFailed.
        """
        name = self._keys.name(attached.book, attached.case, attached.digest)
        short = f"{attached.digest[:16]}… of case {attached.case}"
        key = self._find(name, attached, short)
        hashed, size = hashlib.sha256(), 0
        try:
            with self._place.reading(name + ENDING) as stream:
                try:
                    for part in _decrypt(stream, key, name):
                        hashed.update(part)
                        size += len(part)
                        yield part
                except InvalidTag:
                    raise AttachmentDamaged(f"Attachment {short} in {self} is damaged.") from None
        except FileNotFoundError:
            raise AttachmentMissing(f"Attachment {short} is not in {self}.") from None
        if (hashed.hexdigest(), size) != (attached.digest, attached.size):
            raise AttachmentDamaged(f"Attachment {short} in {self} is whole, but not what the log names.")

    def _find(self, name: str, attached: Attached, short: str) -> AESSIV:
        try:
            return self._keys.find(name)
        except AttachmentErased:
            mark = self.erased(attached)
            assert mark is not None, "what was erased has its mark"
            raise AttachmentErased(f"Attachment {short} was erased by {mark.by}: {mark.reason}.") from None

    def check(self, attached: Attached) -> None:
        """Read all of it and give nothing. Raises as `read`."""
        for _ in self.read(attached):
            pass

    def get(self, attached: Attached, to: Path) -> None:
        """Write it to a file, readable for its owner only, there whole or not at all. Raises as `read`."""
        try:
            with writing_whole(to) as out:
                for part in self.read(attached):
                    out.write(part)
        except OSError as error:
            raise WrongUse(f"{to} cannot be written: {error.strerror}.") from None

    def erased(self, attached: Attached) -> Erased | None:
        """Who erased it; None where nobody did."""
        return self._keys.erased(self._keys.name(attached.book, attached.case, attached.digest))

    def erase(self, attached: Attached, mark: Erased) -> None:
        """Destroy its key, then its bytes. Copies of the bytes elsewhere cannot be read any more."""
        name = self._keys.name(attached.book, attached.case, attached.digest)
        self._keys.erase(name, mark)
        self._place.drop(name + ENDING)

    def left_over(self, named: Iterable[Attached]) -> list[LeftOver]:
        """What is kept and no log names, or was erased and is still there. named: all that logs name."""
        known = {self._keys.name(one.book, one.case, one.digest) for one in named}
        there = {one.removesuffix(ENDING) for one in self._place.names(ENDING)}
        keys = set(self._keys.names())
        erased = {one for one in keys if self._keys.erased(one) is not None}
        left = sorted(((there | keys) - known - erased) | (there & erased))
        unfinished = self._place.names(UNFINISHED)
        return [
            *(LeftOver(name, name in there, self._keys.written_s(name) or 0.0) for name in left),
            *(LeftOver(name, True, self._place.newest_s(name) or 0.0) for name in unfinished),
        ]

    def drop(self, one: LeftOver) -> bool:
        """Remove what was left over, bytes and key. False: somebody has begun to attach it meanwhile."""
        if one.name.endswith(UNFINISHED):
            self._place.drop(one.name)
            return True
        return self._keys.forget(one.name, one.begun_s, lambda: self._place.drop(one.name + ENDING))


def _plain_file(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            raise BadAttachment(f"{path} is {'no plain file' if path.exists() else 'not there'}.")
        return path.open("rb")
    except OSError as error:
        raise BadAttachment(f"{path} cannot be read: {error.strerror}.") from None


def _parts(stream: BinaryIO, of: Path | str) -> Iterator[bytes]:
    try:
        while part := stream.read(_CHUNK):
            yield part
    except OSError as error:
        raise BadAttachment(f"{of} cannot be read: {error.strerror}.") from None


def _digest(stream: BinaryIO, path: Path) -> tuple[str, int]:
    hashed, size = hashlib.sha256(), 0
    for part in _parts(stream, path):
        size += len(part)
        if size > MOST_BYTES:
            raise BadAttachment(f"{path} is larger than {MOST_BYTES >> 20} MiB.")
        hashed.update(part)
    return hashed.hexdigest(), size


def _encrypt(stream: BinaryIO, out: BinaryIO, key: AESSIV, name: str) -> tuple[str, int]:
    """Write the object; returns digest and size of what was read, which may have changed."""
    hashed, size, number = hashlib.sha256(), 0, 0
    out.write(_MAGIC)
    parts = _parts(stream, "The file")
    part = next(parts, b"")
    while True:
        following = next(parts, b"")
        hashed.update(part)
        size += len(part)
        out.write(key.encrypt(part, _about(name, number, last=not following)))
        if not following or size > MOST_BYTES:
            return hashed.hexdigest(), size
        part, number = following, number + 1


def _decrypt(stream: BinaryIO, key: AESSIV, name: str) -> Iterator[bytes]:
    """Raises InvalidTag."""
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise InvalidTag
    number = 0
    part = _exactly(stream, _CHUNK + _TAG)
    while True:
        following = _exactly(stream, _CHUNK + _TAG)
        if len(part) < _TAG:
            raise InvalidTag
        yield key.decrypt(part, _about(name, number, last=not following))
        if not following:
            return
        part, number = following, number + 1


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """As much, or what is left: an object store may give less at a time."""
    found = stream.read(size)
    while 0 < len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found


def _about(name: str, number: int, *, last: bool) -> list[bytes]:
    return [_MAGIC, name.encode(), struct.pack(">Q?", number, last)]

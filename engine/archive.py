"""The archive: ranges of a partition's events and commands in files, so that the log need not keep them.

A file holds whole pages, in order, compressed, with a digest over all of it and the links before and behind
it. Its name says what it holds: the offset that it follows, and its last one. The files of an epoch are one
unbroken row; a file that is missing is found by its neighbours' names, and one that was changed by its
digest. What was signed is the only thing that is archived, and it is read back before it counts.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from engine.errors import DaybookError, LogCorrupt
from engine.links import FIRST_LINK, link_of, next_link
from engine.log.records import BEFORE_FIRST, BookLog, Record
from engine.places import Place
from engine.receipts import Receipt

RANGE_RECORDS: Final = 20_000
RANGE_BYTES: Final = 32 << 20
"""After so many records, or bytes of them, a page ends a file."""
ENDING: Final = ".archive"
_MAGIC: Final = b"daybook archive 1\n"
_DIGEST_BYTES: Final = 32

Kind = Literal["events", "commands"]


class ArchiveDamaged(DaybookError):
    """A file of the archive is missing, or is not what was written."""

    advice = "Restore it from a copy of the archive; nothing else holds that part of history."


class NotArchived(DaybookError):
    """What should be archived is not what was signed."""

    advice = "Run `daybook replay verify`; nothing was archived, and nothing may be removed."


class Span(msgspec.Struct, frozen=True, order=True):
    """What a file's name says: it holds what is behind `after`, up to and including `last`."""

    after: int
    last: int


class _File(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What a file holds. before, behind: the links that its events lead from and to; for commands empty."""

    kind: Kind
    partition: int
    epoch_id: str
    after: int
    last: int
    before: bytes
    behind: bytes
    records: list[Record]


class Archived(msgspec.Struct, frozen=True):
    """What was added. files: how many.   through: the last offset of events and commands that is archived."""

    files: int
    events: int
    commands: int
    bytes: int
    events_through: int
    commands_through: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_File).decode


class Archive:
    """The archive of a partition in one epoch. place: of all archives of a site."""

    def __init__(self, place: Place, partition: int, epoch_id: str) -> None:
        self.partition = partition
        self.epoch_id = epoch_id
        self._place = place.of(str(partition)).of(epoch_id.replace("/", "."))
        self._kept: tuple[str, _File] | None = None

    def __str__(self) -> str:
        return str(self._place)

    def spans(self, kind: Kind) -> list[Span]:
        """The files, in order. Raises ArchiveDamaged where one is missing between two others."""
        found = sorted(_span(name) for name in self._place.names(ENDING) if name.startswith(f"{kind}-"))
        behind = BEFORE_FIRST
        for one in found:
            if one.after != behind:
                raise ArchiveDamaged(
                    f"{self._place} holds {kind} up to offset {behind} and from behind {one.after}; what is "
                    "between is missing."
                )
            behind = one.last
        return found

    def last(self, kind: Kind) -> int:
        """Offset of the last that is archived, -1 where there is nothing."""
        found = self.spans(kind)
        return found[-1].last if found else BEFORE_FIRST

    def link(self) -> bytes:
        """The link that the archived events lead to."""
        found = self.spans("events")
        return self._read("events", found[-1]).behind if found else FIRST_LINK

    def records(self, kind: Kind, after: int) -> Iterator[Record]:
        """What is archived behind `after`, in order. Raises ArchiveDamaged."""
        for span in self.spans(kind):
            if span.last > after:
                for record in self._read(kind, span).records:
                    if record.offset > after:
                        yield record

    def some(self, kind: Kind, after: int) -> list[Record]:
        """What is behind `after` in the file that holds it; empty where none does."""
        for span in self.spans(kind):
            if span.last > after:
                return [one for one in self._read(kind, span).records if one.offset > after]
        return []

    def add(self, kind: Kind, after: int, records: list[Record], before: bytes, behind: bytes) -> int:
        """Write a file and read it back; returns its size."""
        last = records[-1].offset
        file = _File(kind, self.partition, self.epoch_id, after, last, before, behind, records)
        body = zlib.compress(_encode(file), 6)
        content = b"".join((_MAGIC, hashlib.sha256(body).digest(), body))
        span = Span(after, last)
        self._place.write(_name(kind, span), content)
        self._kept = None
        found = self._read(kind, span)
        if found != file or (kind == "events" and _chained(found.before, found.records) != behind):
            raise ArchiveDamaged(f"{_name(kind, span)} in {self._place} is not what was written just now.")
        return len(content)

    def _read(self, kind: Kind, span: Span) -> _File:
        name = _name(kind, span)
        if self._kept is not None and self._kept[0] == name:
            return self._kept[1]
        try:
            content = self._place.read(name)
        except FileNotFoundError:
            raise ArchiveDamaged(f"{name} is missing in {self._place}.") from None
        start = len(_MAGIC) + _DIGEST_BYTES
        body = content[start:]
        if content[:start] != _MAGIC + hashlib.sha256(body).digest():
            raise ArchiveDamaged(f"{name} in {self._place} is damaged: its digest does not fit.")
        try:
            file = _decode(zlib.decompress(body))
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ArchiveDamaged(f"{name} in {self._place} is damaged: {error}.") from None
        said = (file.kind, file.partition, file.epoch_id, file.after, file.last)
        if said != (kind, self.partition, self.epoch_id, span.after, span.last):
            raise ArchiveDamaged(f"{name} in {self._place} is another file under that name.")
        self._kept = name, file
        return file


def archive(log: BookLog, archive: Archive, receipt: Receipt) -> Archived:
    """Add to the archive what the receipt vouches for and is not there yet. Nothing is removed anywhere.

    The links from the archive's end to the receipt are checked before the first file is written.
    Raises NotArchived, ArchiveDamaged, LogCorrupt.
    """
    if (receipt.partition, receipt.epoch_id) != (archive.partition, archive.epoch_id):
        raise NotArchived(
            f"The receipt is of partition {receipt.partition} in the epoch {receipt.epoch_id}, and this is "
            f"partition {archive.partition} in {archive.epoch_id}."
        )
    position = _vouched(log, archive, receipt)
    files = events = size = 0
    link, after = archive.link(), archive.last("events")
    for page in _ranges(_through(log.events(after), receipt.offset), linked=True):
        behind = _chained(link, page)
        size += archive.add("events", after, page, link, behind)
        files, events = files + 1, events + len(page)
        link, after = behind, page[-1].offset
    commands = 0
    after = archive.last("commands")
    for some in _ranges(_through(_commands(log, after), position), linked=False):
        size += archive.add("commands", after, some, b"", b"")
        files, commands = files + 1, commands + len(some)
        after = some[-1].offset
    return Archived(files, events, commands, size, archive.last("events"), archive.last("commands"))


class _Answers(msgspec.Struct):
    cause: int = -1


_cause = msgspec.json.Decoder(_Answers).decode


def _vouched(log: BookLog, archive: Archive, receipt: Receipt) -> int:
    """Check that the log leads from the archive's end to the receipt; returns the newest cause in between."""
    link, position = archive.link(), archive.last("commands")
    values: list[bytes] = []
    offset = archive.last("events")
    if offset >= receipt.offset:
        return position
    for record in _through(log.events(offset), receipt.offset):
        values.append(record.value)
        position = max(position, _cause(record.value).cause)
        offset = record.offset
        found = link_of(record.headers) if record.headers else None
        if found is not None:
            link = next_link(link, values)
            values.clear()
            if found != link:
                raise NotArchived(f"The events up to offset {offset} are not those that were written.")
    if offset != receipt.offset or link.hex() != receipt.link:
        raise NotArchived(f"The events up to offset {receipt.offset} are not those that were signed.")
    return position


def _chained(link: bytes, records: list[Record]) -> bytes:
    """The link that whole pages lead to."""
    values: list[bytes] = []
    for record in records:
        values.append(record.value)
        if record.headers and link_of(record.headers) is not None:
            link = next_link(link, values)
            values.clear()
    if values:
        raise LogCorrupt(f"The events up to offset {records[-1].offset} end within a page.")
    return link


def _through(records: Iterator[Record], last: int) -> Iterator[Record]:
    for record in records:
        if record.offset > last:
            return
        yield record


def _commands(log: BookLog, after: int) -> Iterator[Record]:
    while found := log.commands(after, RANGE_RECORDS, 0.0):
        after = found[-1].offset
        yield from found


def _ranges(records: Iterator[Record], *, linked: bool) -> Iterator[list[Record]]:
    """In parts of about a file's size; events end with a page."""
    part: list[Record] = []
    size = 0
    for record in records:
        part.append(record)
        size += len(record.value)
        full = len(part) >= RANGE_RECORDS or size >= RANGE_BYTES
        if full and (not linked or link_of(record.headers) is not None):
            yield part
            part, size = [], 0
    if part:
        yield part


def _name(kind: Kind, span: Span) -> str:
    return f"{kind}-{span.after + 1:020d}-{span.last:020d}{ENDING}"


def _span(name: str) -> Span:
    _, first, last = name.removesuffix(ENDING).split("-")
    return Span(int(first) - 1, int(last))

"""The page codec: one commit is one page, and a page is two rows, its commands and its events.

A row holds columns, since columns encode fast and small: the values side by side, a key or a header once
where all records have the same, times once where all are equal. In front stands a CRC-32. It finds a damaged
row and names its page; it proves nothing against a forger, which is what the links are for.
"""

import zlib
from collections.abc import Sequence
from itertools import repeat
from typing import Final

import msgspec

from engine.errors import LogCorrupt
from engine.log.records import BEFORE_FIRST, Headers, Out, Record

TOPIC: Final = "page/1"
"""What a stored row says it is; a later layout has a later number."""

Column = bytes | list[bytes]  # one value for every record of the row, or one each
Times = int | list[int]

_CRC_BYTES: Final = 4


class Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The commands or the events of one page.

    stream: `commands-<partition>` or `events-<partition>`. writer: a number drawn by each writer, so that two
    writers' pages are never equal. first: offset of the first record, or of the next one where there is none.
    names, columns: the headers, where every record has the same names. sparse: headers by index in the row,
    where they differ.
    """

    stream: str
    page: int
    writer: int
    first: int
    times: Times
    keys: Column
    values: list[bytes]
    names: list[str] = []
    columns: list[Column] = []
    sparse: list[tuple[int, Headers]] = []

    @property
    def last(self) -> int:
        """Offset of the last record, `first - 1` where there is none."""
        return self.first + len(self.values) - 1

    def fits(self) -> bool:
        """Whether there is one of everything for each value. A forger's row may be any."""
        count = len(self.values)
        return (
            all(isinstance(c, bytes | int) or len(c) == count for c in (self.keys, self.times, *self.columns))
            and len(self.names) == len(self.columns)
            and all(0 <= index < count for index, _ in self.sparse)
        )

    def records(self, after: int = BEFORE_FIRST) -> list[Record]:
        """The row's records with offset > after."""
        start = max(0, after + 1 - self.first)
        if start >= len(self.values):
            return []
        keys = repeat(self.keys) if isinstance(self.keys, bytes) else self.keys
        times = repeat(self.times) if isinstance(self.times, int) else self.times
        offsets = range(self.first, self.first + len(self.values))
        if self.names or self.sparse:
            records = list(map(Record, keys, self.values, offsets, times, self._headers()))
        else:
            records = list(map(Record, keys, self.values, offsets, times))
        return records[start:] if start else records

    def _headers(self) -> list[Headers]:
        count = len(self.values)
        if self.names:
            spread = [repeat(c, count) if isinstance(c, bytes) else c for c in self.columns]
            pairs = [
                zip(repeat(name, count), column, strict=True)
                for name, column in zip(self.names, spread, strict=True)
            ]
            return list(zip(*pairs, strict=True))
        headers: list[Headers] = [()] * count
        for index, each in self.sparse:
            headers[index] = each
        return headers


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Row)


def encode(
    stream: str, page: int, writer: int, first: int, records: Sequence[Out | Record], times: Times
) -> bytes:
    """One row as it is stored. times: append time of all records, or of each, in ms."""
    keys = [record.key for record in records]
    values = [record.value for record in records]
    headers = [record.headers for record in records]
    names: list[str] = []
    columns: list[Column] = []
    sparse: list[tuple[int, Headers]] = []
    if any(headers):
        names, columns = _columns(headers)
        if not names:
            sparse = [(index, each) for index, each in enumerate(headers) if each]
    row = Row(stream, page, writer, first, _once_int(times), _once(keys), values, names, columns, sparse)
    body = _encoder.encode(row)
    return zlib.crc32(body).to_bytes(_CRC_BYTES, "big") + body


def decode(stream: str, page: int, state: bytes) -> Row:
    """The row that was stored for this page of this stream. Raises LogCorrupt, naming the page."""
    body = state[_CRC_BYTES:]
    if zlib.crc32(body) != int.from_bytes(state[:_CRC_BYTES], "big"):
        raise LogCorrupt(f"Page {page} of {stream} is damaged: its checksum does not match.", page=page)
    try:
        row = _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise LogCorrupt(f"Page {page} of {stream} cannot be read: {error}.", page=page) from error
    if (row.stream, row.page) != (stream, page):
        raise LogCorrupt(f"Page {page} of {stream} holds page {row.page} of {row.stream}.", page=page)
    if not row.fits():
        raise LogCorrupt(f"Page {page} of {stream} has columns of different lengths.", page=page)
    return row


def _columns(headers: Sequence[Headers]) -> tuple[list[str], list[Column]]:
    """Headers by column; no names where the records' names differ. All loops run in C."""
    count = len(headers)
    if list(map(len, headers)).count(len(headers[0])) != count:
        return [], []
    names: list[str] = []
    columns: list[Column] = []
    for pairs in zip(*headers, strict=True):
        each_name, values = zip(*pairs, strict=True)
        if each_name.count(each_name[0]) != count:
            return [], []
        names.append(each_name[0])
        columns.append(_once(list(values)))
    return names, columns


def _once(values: list[bytes]) -> Column:
    return values[0] if values and values.count(values[0]) == len(values) else values


def _once_int(times: Times) -> Times:
    if isinstance(times, list) and times and times.count(times[0]) == len(times):
        return times[0]
    return times

"""Reads LZ4 frames, which the engine's producer writes. aiokafka wants the package cramjam for them, and
where that is installed this module is not used. The format:
https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md beside it.
"""

import struct
from typing import Final

MAGIC: Final = 0x184D2204
_VERBATIM: Final = 1 << 31
_LONG: Final = 15
"""A length of four bits that says that more bytes of length follow."""
_SHORTEST_COPY: Final = 4


def decode(frame: bytes | bytearray | memoryview) -> bytes:
    """What the frame holds. Raises ValueError where it is no frame; its checksums are Kafka's to check."""
    data = bytes(frame)
    magic, flags = struct.unpack_from("<IB", data)
    if magic != MAGIC:
        raise ValueError(f"no LZ4 frame: it begins with {data[:4].hex()}")
    block_checksum, with_size, with_dictionary = flags & 0x10, flags & 0x08, flags & 0x01
    at = 4 + 2 + (8 if with_size else 0) + (4 if with_dictionary else 0) + 1
    out = bytearray()
    while True:
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if size == 0:
            return bytes(out)
        length = size & ~_VERBATIM
        if size & _VERBATIM:
            out += data[at : at + length]
        else:
            _block(data[at : at + length], out)
        at += length + (4 if block_checksum else 0)


def _block(data: bytes, out: bytearray) -> None:
    """Append what a block holds: literals, then a copy of what came before, and again."""
    at, end = 0, len(data)
    while at < end:
        token = data[at]
        at += 1
        length, at = _length(data, at, token >> 4)
        out += data[at : at + length]
        at += length
        if at >= end:  # the last sequence has no copy
            return
        back = data[at] | data[at + 1] << 8
        length, at = _length(data, at + 2, token & 15)
        length += _SHORTEST_COPY
        start = len(out) - back
        if back == 0 or start < 0:
            raise ValueError("a copy of what is not there")
        if back >= length:
            out += out[start : start + length]
        else:  # it overlaps what it makes
            pattern = out[start:]
            out += (pattern * (length // back + 1))[:length]


def _length(data: bytes, at: int, length: int) -> tuple[int, int]:
    if length == _LONG:
        while True:
            more = data[at]
            at += 1
            length += more
            if more != 255:
                break
    return length, at

"""Which partition a book is on: the Java clients' rule, so that every client of the contract agrees.

librdkafka's own default is another rule (CRC32); what was placed by it is answered `wrong_partition`.
Nothing here may know a client of Kafka.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

_MASK, _FACTOR, _SEED = 0xFFFFFFFF, 0x5BD1E995, 0x9747B28C


class Place(msgspec.Struct, frozen=True):
    """Which partition a log is, of how many. The only one holds every book."""

    partition: int = 0
    partitions: int = 1

    def holds(self, key: bytes) -> bool:
        """Whether records with this key belong here."""
        return self.partitions == 1 or partition_of(key, self.partitions) == self.partition


ONLY = Place()


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a book: murmur2 of the key, positive, modulo the count. Remembered, since it is asked
    for every command and in Python it costs as much as decoding one.
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2, 32 bits, with Kafka's seed."""
    length = len(data)
    found = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _FACTOR & _MASK
        k = (k ^ k >> 24) * _FACTOR & _MASK
        found = (found * _FACTOR & _MASK) ^ k
    if whole < length:
        found = (found ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _MASK
    found = (found ^ found >> 13) * _FACTOR & _MASK
    return found ^ found >> 15

"""What was seen lately, packed: payees and devices of an account, its newest payments, who shares what.

Names are kept as digests of eight bytes, in the order in which they were seen last, and only the newest so
many of them; times in minutes. Whoever comes again after that many others is new.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from bisect import bisect_left

import msgspec

from schemas.payees import payee_key

KEY = 8
MINUTE_MS = 60_000
_TIME = 4
_SHARED = KEY + _TIME
_TIMES = tuple(struct.Struct(f">{count}I") for count in range(257))
"""What unpacks so many times at once."""


@functools.lru_cache(maxsize=1 << 16)
def payee_digest(account: str) -> bytes:
    """Eight bytes for a payee, whatever the spacing and case of the account: the first of its key."""
    return bytes.fromhex(payee_key(account)[: 2 * KEY])


@functools.lru_cache(maxsize=1 << 16)
def digest(name: str) -> bytes:
    """Eight bytes for any other name: a device, a party, a channel."""
    return hashlib.blake2b(name.encode(), digest_size=KEY, person=b"daybook feature").digest()


def place(keys: bytes, key: bytes, start: int = 0) -> int:
    """Where a key stands among keys of its size, in bytes from the beginning; -1 where it does not."""
    size = len(key)
    found = keys.find(key, start)
    while found > 0 and found % size:
        found = keys.find(key, found + 1)
    return found


def times(key: bytes, keys: bytes, start: int) -> int:
    """How often a key stands among keys of its size, from the byte `start` on."""
    count = 0
    found = place(keys, key, start)
    while found >= 0:
        count += 1
        found = place(keys, key, found + len(key))
    return count


def newest(keys: bytes, key: bytes, most: int) -> bytes:
    """Keys with this one as the newest: it stands once, and no more than `most` stand."""
    if keys.endswith(key):  # nearly always; what ends at another place than its own is as long as this one
        return keys
    size = len(key)
    found = place(keys, key)
    keys = keys + key if found < 0 else keys[:found] + keys[found + size :] + key
    return keys[-most * size :]


class Known(msgspec.Struct, gc=False):
    """Names that were seen, the one seen last at the end. first, last: when each was, in minutes."""

    keys: bytes = b""
    first: bytes = b""
    last: bytes = b""

    def see(self, key: bytes, at_ms: int, most: int) -> None:
        """It is seen at a time, which never goes back."""
        now = (at_ms // MINUTE_MS).to_bytes(_TIME, "big")
        keys = self.keys
        if keys.endswith(key):
            self.last = self.last[:-_TIME] + now
            return
        found = place(keys, key)
        if found < 0:
            self.keys = (keys + key)[-most * KEY :]
            self.first = (self.first + now)[-most * _TIME :]
            self.last = (self.last + now)[-most * _TIME :]
            return
        when = found * _TIME // KEY
        first = self.first
        self.keys = keys[:found] + keys[found + KEY :] + key
        self.first = first[:when] + first[when + _TIME :] + first[when : when + _TIME]
        self.last = self.last[:when] + self.last[when + _TIME :] + now

    def first_minute(self, key: bytes) -> int:
        """When it was seen first; -1 where it is not known."""
        found = place(self.keys, key)
        if found < 0:
            return -1
        when = found * _TIME // KEY
        return int.from_bytes(self.first[when : when + _TIME], "big")

    def seen_from(self, minute: int, key: bytes) -> tuple[int, bool]:
        """How many were seen from a minute on, and whether this one is among them."""
        start = _first_from(self.last, minute)
        return len(self.last) // _TIME - start, place(self.keys, key, start * KEY) >= 0


def _first_from(packed: bytes, minute: int) -> int:
    """The index of the first of these times, oldest first, that is not before a minute."""
    if not packed or int.from_bytes(packed[:_TIME], "big") >= minute:
        return 0
    return bisect_left(_TIMES[len(packed) // _TIME].unpack(packed), minute)


class Recent(msgspec.Struct, gc=False):
    """The newest payments: the minute, the payee and the amount of each, the newest at the end."""

    minutes: bytes = b""
    payees: bytes = b""
    amounts: bytes = b""

    def add(self, payee: bytes, amount: int, at_ms: int, most: int) -> None:
        """Another payment, at a time that never goes back."""
        self.minutes = (self.minutes + (at_ms // MINUTE_MS).to_bytes(_TIME, "big"))[-most * _TIME :]
        self.payees = (self.payees + payee)[-most * KEY :]
        self.amounts = (self.amounts + amount.to_bytes(KEY, "big"))[-most * KEY :]

    def to_payee(self, payee: bytes, minute: int) -> int:
        """How many of them went to a payee from a minute on."""
        return times(payee, self.payees, _first_from(self.minutes, minute) * KEY)

    def of_amount(self, amount: int, minute: int) -> int:
        """How many of them were of an amount from a minute on."""
        return times(amount.to_bytes(KEY, "big"), self.amounts, _first_from(self.minutes, minute) * KEY)


class Sharing(msgspec.Struct):
    """Who was seen with what in the last two turns of a window: payers of a payee, parties of a device.

    turn: the number of the current one.   now: by what was seen in it, digests of who with the minute of
    each, the newest at the end.   before: of what was last seen in the turn before.   leaving: what is
    forgotten, a little at a time.
    """

    turn: int = 0
    now: dict[int, bytes] = {}
    before: dict[int, bytes] = {}
    leaving: dict[int, bytes] = {}

    def see(self, what: bytes, who: bytes, at_ms: int, turn_ms: int, most: int) -> None:
        """It is seen with somebody at a time, which never goes back."""
        turn = at_ms // turn_ms
        if turn != self.turn:
            self.leaving = self.before if turn == self.turn + 1 else {}
            self.before = self.now if turn == self.turn + 1 else {}
            self.now = {}
            self.turn = turn
        for _ in range(2):
            if self.leaving:
                self.leaving.popitem()
        key = int.from_bytes(what, "big")
        packed = self.now.get(key)
        if packed is None:
            packed = self.before.pop(key, b"")
        found = _place(packed, who, 0)
        if found >= 0:
            packed = packed[:found] + packed[found + _SHARED :]
        packed += who + (at_ms // MINUTE_MS).to_bytes(_TIME, "big")
        self.now[key] = packed[-most * _SHARED :]

    def others_from(self, what: bytes, who: bytes, minute: int) -> int:
        """With how many others than `who` it was seen from a minute on."""
        key = int.from_bytes(what, "big")
        packed = self.now.get(key) or self.before.get(key, b"")
        start = 0
        since = max(minute, 0).to_bytes(_TIME, "big")
        while start < len(packed) and packed[start + KEY : start + _SHARED] < since:
            start += _SHARED
        return (len(packed) - start) // _SHARED - (_place(packed, who, start) >= 0)


def _place(packed: bytes, who: bytes, start: int) -> int:
    found = packed.find(who, start)
    while found > 0 and found % _SHARED:
        found = packed.find(who, found + 1)
    return found

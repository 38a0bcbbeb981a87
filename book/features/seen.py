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

from schemas.features import MOST_DEVICES, MOST_PAYEES, MOST_RECENT
from schemas.payees import payee_key

KEY = 8
MINUTE_MS = 60_000
TIME = 4
PAYEE = 2 * TIME + KEY
DEVICE = TIME + KEY
PAYMENT = TIME + 2 * KEY
SHARED = KEY + TIME
"""Bytes of each."""
_LAST_PAID = tuple(struct.Struct(">" + "4xI8x" * count) for count in range(MOST_PAYEES + 1))
"""What unpacks when each of so many payees was paid last."""


@functools.lru_cache(maxsize=1 << 16)
def payee_digest(account: str) -> bytes:
    """Eight bytes for a payee, whatever the spacing and case of the account: the first of its key."""
    return bytes.fromhex(payee_key(account)[: 2 * KEY])


@functools.lru_cache(maxsize=1 << 16)
def digest(name: str) -> bytes:
    """Eight bytes for any other name: a device, a party, a channel."""
    return hashlib.blake2b(name.encode(), digest_size=KEY, person=b"daybook feature").digest()


def _place(entries: bytes, key: bytes, size: int, within: int, start: int = 0) -> int:
    """Where the entry with a key begins, among entries of a size that have it `within`; -1 where none has.

    start: the number of the first entry that is looked at.
    """
    found = entries.find(key, start * size)
    while found >= 0 and found % size != within:
        found = entries.find(key, found + 1)
    return found - within if found >= 0 else -1


def stands(keys: bytes, key: bytes) -> bool:
    """Whether a key is among keys of its size."""
    return _place(keys, key, len(key), 0) >= 0


def newest(keys: bytes, key: bytes, most: int) -> bytes:
    """Keys with this one as the newest: it stands once, and no more than `most` stand."""
    if keys.endswith(key):  # nearly always; what ends at another place than its own is as long as this one
        return keys
    size = len(key)
    found = _place(keys, key, size, 0)
    keys = keys + key if found < 0 else keys[:found] + keys[found + size :] + key
    return keys[-most * size :]


def paid(payees: bytes, payee: bytes, at_ms: int) -> bytes:
    """Payees with this one as the newest. Of each: the minutes of its first and last payment, its digest."""
    now = (at_ms // MINUTE_MS).to_bytes(TIME, "big")
    found = _place(payees, payee, PAYEE, 2 * TIME)
    if found < 0:
        return (payees + now + now + payee)[-MOST_PAYEES * PAYEE :]
    first = payees[found : found + TIME]
    return payees[:found] + payees[found + PAYEE :] + first + now + payee


def paid_first(payees: bytes, payee: bytes) -> int:
    """The minute in which a payee was paid first; -1 where it is not known."""
    found = _place(payees, payee, PAYEE, 2 * TIME)
    return -1 if found < 0 else int.from_bytes(payees[found : found + TIME], "big")


def paid_from(payees: bytes, minute: int, payee: bytes) -> tuple[int, bool]:
    """How many payees were paid from a minute on, and whether this one is among them."""
    count = len(payees) // PAYEE
    start = 0
    if count and int.from_bytes(payees[TIME : 2 * TIME], "big") < minute:
        start = bisect_left(_LAST_PAID[count].unpack(payees), minute)
    return count - start, _place(payees, payee, PAYEE, 2 * TIME, start) >= 0


def used(devices: bytes, device: bytes, at_ms: int) -> bytes:
    """Devices with this one as the newest. Of each: when it was used first, and its digest."""
    if devices.endswith(device):
        return devices
    found = _place(devices, device, DEVICE, TIME)
    if found < 0:
        return (devices + (at_ms // MINUTE_MS).to_bytes(TIME, "big") + device)[-MOST_DEVICES * DEVICE :]
    return devices[:found] + devices[found + DEVICE :] + devices[found : found + DEVICE]


def used_first(devices: bytes, device: bytes) -> int:
    """The minute in which a device was used first; -1 where it is not known."""
    found = _place(devices, device, DEVICE, TIME)
    return -1 if found < 0 else int.from_bytes(devices[found : found + TIME], "big")


def noted(payments: bytes, payee: bytes, amount: int, at_ms: int) -> bytes:
    """The newest payments, with another: the minute, the payee and the amount of each."""
    one = (at_ms // MINUTE_MS).to_bytes(TIME, "big") + payee + amount.to_bytes(KEY, "big")
    return (payments + one)[-MOST_RECENT * PAYMENT :]


def to_payee(payments: bytes, payee: bytes, minute: int) -> int:
    """How many of the newest payments went to a payee from a minute on."""
    return _times(payments, payee, TIME, minute)


def of_amount(payments: bytes, amount: int, minute: int) -> int:
    """How many of the newest payments were of an amount from a minute on."""
    return _times(payments, amount.to_bytes(KEY, "big"), TIME + KEY, minute)


def _times(payments: bytes, part: bytes, within: int, minute: int) -> int:
    since = max(minute, 0).to_bytes(TIME, "big")
    count = 0
    found = payments.rfind(part)
    while found >= 0:
        if found % PAYMENT == within:
            start = found - within
            if payments[start : start + TIME] < since:
                break
            count += 1
        found = payments.rfind(part, 0, found + len(part) - 1)
    return count


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
        if self.leaving:
            self.leaving.popitem()
            if self.leaving:
                self.leaving.popitem()
        key = int.from_bytes(what, "big")
        now, minute = self.now, (at_ms // MINUTE_MS).to_bytes(TIME, "big")
        packed = now.get(key)
        if packed is None:
            packed = self.before.pop(key, b"")
        if not packed:
            now[key] = who + minute
            return
        if packed[-SHARED:-TIME] == who:  # it is the newest already
            now[key] = packed[:-TIME] + minute
            return
        found = _place(packed, who, SHARED, 0)
        if found >= 0:
            packed = packed[:found] + packed[found + SHARED :]
        packed += who + minute
        now[key] = packed if len(packed) <= most * SHARED else packed[-most * SHARED :]

    def others_from(self, what: bytes, who: bytes, minute: int) -> int:
        """With how many others than `who` it was seen from a minute on."""
        key = int.from_bytes(what, "big")
        packed = self.now.get(key) or self.before.get(key, b"")
        start = 0
        since = max(minute, 0).to_bytes(TIME, "big")
        while start < len(packed) and packed[start + KEY : start + SHARED] < since:
            start += SHARED
        return (len(packed) - start) // SHARED - (_place(packed, who, SHARED, 0, start // SHARED) >= 0)

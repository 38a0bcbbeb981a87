"""How much of a limit or a package has been used: a count for each slice of book time that still counts."""

from __future__ import annotations

import struct

import msgspec

_SLICE = struct.Struct("<qqq")
"""An older slice of a rolling window, packed: its number, its total, and what of it is not final."""


class Usage(msgspec.Struct, gc=False):
    """What one account or party has used.

    bucket, total, reserved: the newest slice, what was used in it, and how much of that is not final yet.
    before, older: the total of earlier slices that still counted when the newest one began, and each of them
    packed, oldest first; only rolling windows have any. Packed, a month of days is 750 bytes and not 4,000.
    """

    bucket: int
    total: int
    reserved: int = 0
    before: int = 0
    older: bytes = b""

    def since(self, first: int) -> int:
        """All that was used in the slices from `first` on."""
        used = self.total if self.bucket >= first else 0
        if self.older:
            for bucket, total, _ in _SLICE.iter_unpack(self.older):
                if bucket >= first:
                    used += total
        return used

    def reserved_since(self, first: int) -> int:
        """How much of that is not final yet."""
        found = self.reserved if self.bucket >= first else 0
        for bucket, _, reserved in _SLICE.iter_unpack(self.older):
            if bucket >= first:
                found += reserved
        return found

    def buckets(self) -> list[int]:
        """The slices in which something was used."""
        newest = [self.bucket] if self.total else []
        return [one[0] for one in _SLICE.iter_unpack(self.older)] + newest

    def in_bucket(self, bucket: int) -> int:
        """What was used in one slice; 0 where it counts no longer."""
        return (self.slice_of(bucket) or (0, 0))[0]

    def slice_of(self, bucket: int) -> tuple[int, int] | None:
        """Total and reserved of one slice; None where it counts no longer."""
        if bucket == self.bucket:
            return self.total, self.reserved
        return next((one[1:] for one in _SLICE.iter_unpack(self.older) if one[0] == bucket), None)

    def assign(self, bucket: int, first: int, total: int, reserved: int) -> None:
        """What an event says: this slice holds `total` now, and slices before `first` count no longer."""
        if bucket == self.bucket:
            self.total, self.reserved = total, reserved
            return
        slices = list(_SLICE.iter_unpack(self.older)) if self.older else []
        if bucket > self.bucket:
            slices.append((self.bucket, self.total, self.reserved))
            slices = [one for one in slices if one[0] >= first and one[1]]
            self.bucket, self.total, self.reserved = bucket, total, reserved
        else:
            assert any(one[0] == bucket for one in slices), "only a slice that is still kept is changed"
            slices = [(bucket, total, reserved) if one[0] == bucket else one for one in slices]
        self.before = sum(one[1] for one in slices)
        self.older = b"".join(_SLICE.pack(*one) for one in slices)


class Slice(msgspec.Struct):
    """One slice of book time. counts: total and reserved, by whose they are."""

    bucket: int
    counts: dict[str, tuple[int, int]] = {}


class Tally(msgspec.Struct):
    """What everyone has used of a limit that counts neither by account nor by party, such as by counterparty.

    slices: oldest first. They go as a whole when they no longer count, so that nobody who was seen once is
    kept for ever.
    """

    slices: list[Slice] = []

    def since(self, first: int, key: str) -> int:
        """All that was used under a key in the slices from `first` on."""
        return sum(one.counts.get(key, (0, 0))[0] for one in self.slices if one.bucket >= first)

    def buckets(self, key: str) -> list[int]:
        """The slices in which something was used under a key."""
        return [one.bucket for one in self.slices if one.counts.get(key, (0, 0))[0]]

    def slice_of(self, bucket: int, key: str) -> tuple[int, int] | None:
        """Total and reserved of one slice; None where there are none."""
        return next((one.counts.get(key) for one in reversed(self.slices) if one.bucket == bucket), None)

    def assign(self, key: str, bucket: int, first: int, total: int, reserved: int) -> None:
        """What an event says: this slice holds `total` now, and slices before `first` count no longer."""
        slices = self.slices
        if not slices or bucket > slices[-1].bucket:
            self.slices = slices = [one for one in slices if one.bucket >= first]
            slices.append(Slice(bucket))
        for one in reversed(slices):
            if one.bucket == bucket:
                one.counts[key] = (total, reserved)
                return
        raise AssertionError("only a slice that is still kept is changed")


class Raise(msgspec.Struct, gc=False):
    """A limit that is higher for one account or party until a time. most: minor units, or a number."""

    most: int
    until_ms: int

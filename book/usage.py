"""How much of a limit or a package has been used: a count for each slice of book time that still counts."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, gc=False):
    """bucket, total: the newest slice and what was used in it.   reserved: how much of all is not final yet.

    older: earlier slices that still counted when the newest one began, oldest first; None for windows that
    have one slice at a time.
    """

    bucket: int
    total: int
    reserved: int = 0
    older: list[tuple[int, int]] | None = None

    def since(self, first: int) -> int:
        """All that was used in the slices from `first` on."""
        used = self.total if self.bucket >= first else 0
        if self.older is not None:
            for bucket, total in self.older:
                if bucket >= first:
                    used += total
        return used

    def in_bucket(self, bucket: int) -> int:
        """What was used in one slice; 0 where it counts no longer."""
        if bucket == self.bucket:
            return self.total
        return next((total for one, total in self.older or () if one == bucket), 0)

    def assign(self, bucket: int, first: int, total: int, reserved: int) -> None:
        """What an event says: this slice holds `total` now, and slices before `first` count no longer."""
        self.reserved = reserved
        older = self.older
        if bucket == self.bucket:
            self.total = total
        elif bucket > self.bucket:
            if self.bucket >= first:
                older = [*(older or ()), (self.bucket, self.total)]
            self.bucket, self.total = bucket, total
        elif older is not None:
            older = [(one, total if one == bucket else had) for one, had in older]
        if older is not None:
            older = [one for one in older if one[0] >= first]
        self.older = older or None

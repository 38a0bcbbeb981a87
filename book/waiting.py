"""What waits for approval, what became of what waited, who stands in for whom, and what makers have sent."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

import msgspec

from book.usage import Usage
from schemas.approvals import Asked, Shown
from schemas.reserves import Reserve, Use

Status = Literal["approved", "failed", "declined", "withdrawn", "expired"]
REMEMBERED_MS = 30 * 86_400_000
"""For how long it is remembered what became of an approval."""


class Approved(msgspec.Struct):
    """One yes. roles: of the user's own, or of `on_behalf_of`'s; by an emergency role where `override`.

    behind: the person behind `on_behalf_of`, who counts as having said yes too.
    """

    user: str
    person: str
    roles: tuple[str, ...]
    on_behalf_of: str
    behind: str
    override: bool


class Waiting(msgspec.Struct):
    """A command that waits. Its fields are those of `ApprovalRequested` and of the newest `TermsChanged`."""

    asked: dict[str, Any]
    maker: str
    person: str
    by: Asked
    requested_ms: int
    expires_at_ms: int
    shown: str
    terms: Shown
    reserves: tuple[Reserve, ...]
    uses: tuple[Use, ...]
    counts: tuple[Use, ...]
    approvals: list[Approved] = []


class Decided(msgspec.Struct, gc=False):
    """What became of an approval, and when."""

    status: Status
    at_ms: int


class Delegation(msgspec.Struct, gc=False):
    """`to` stands in for `delegator`, by these roles of the delegator's."""

    delegator: str
    to: str
    roles: tuple[str, ...]
    from_ms: int
    until_ms: int


class Approvals(msgspec.Struct):
    """waiting, decided: by the seq of the request.   delegations: those that are not over, by id.

    passed: the one that had its quorum last, which waits again if its terms have changed.
    counted: what makers sent to payees, by policy line and then by maker, payee and currency, least recent
    first.
    """

    waiting: dict[int, Waiting] = {}
    decided: dict[int, Decided] = {}
    passed: dict[int, Waiting] = {}
    delegations: dict[str, Delegation] = {}
    counted: dict[str, dict[str, Usage]] = {}

    def decide(self, approval: int, status: Status, at_ms: int) -> None:
        """Remember what became of it, and forget what is too old."""
        decided = self.decided
        decided[approval] = Decided(status, at_ms)
        while decided:
            oldest = next(iter(decided))
            if decided[oldest].at_ms > at_ms - REMEMBERED_MS:
                return
            del decided[oldest]

    def count(self, counts: tuple[Use, ...]) -> None:
        """Assign what the slices hold, and forget makers and payees whose slices no longer count."""
        for one in counts:
            line = self.counted.setdefault(one.limit, {})
            usage = line.pop(one.key, None)
            if usage is None:
                usage = Usage(one.bucket, one.total)
            else:
                usage.assign(one.bucket, one.first, one.total, 0)
            line[one.key] = usage
            for stale in tuple(islice(line, 2)):
                if line[stale].bucket < one.first:
                    del line[stale]

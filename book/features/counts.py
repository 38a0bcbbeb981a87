"""What is kept for the features of an account and a party: plain state that knows nothing of the book."""

from __future__ import annotations

import msgspec

from book.features.windows import Window

NEVER = -1
"""In place of a time: it has not happened since it is counted."""


class AccountCounts(msgspec.Struct, gc=False):
    """Of a customer's account. A window is None until something is counted in it.

    out_…, in_…: what left it and what reached it.   last_out_ms, last_in_ms: when that was last.
    """

    out_1h: Window | None = None
    out_24h: Window | None = None
    out_7d: Window | None = None
    out_30d: Window | None = None
    in_24h: Window | None = None
    in_7d: Window | None = None
    last_out_ms: int = NEVER
    last_in_ms: int = NEVER


class PartyCounts(msgspec.Struct, gc=False):
    """Of all accounts of a party in one currency. others: of those in other currencies, nearly always None.

    out_…: what left them, to whomever.
    """

    currency: str
    out_24h: Window | None = None
    out_7d: Window | None = None
    others: dict[str, PartyCounts] | None = None


class Keeping(msgspec.Struct, frozen=True, gc=False):
    """Which counters are kept, by the names that `Feature.keeps` uses.

    since: book time from which each is, by name.
    """

    since: dict[str, int]
    out_1h: bool = False
    out_24h: bool = False
    out_7d: bool = False
    out_30d: bool = False
    in_24h: bool = False
    in_7d: bool = False
    party_out_24h: bool = False
    party_out_7d: bool = False
    last: bool = False

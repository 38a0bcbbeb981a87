"""What is kept for the features of an account and a party: plain state that knows nothing of the book."""

from __future__ import annotations

import msgspec

from book.features.moments import Moments
from book.features.seen import Sharing
from book.features.turnover import Turnover

NEVER = -1
"""In place of a time: it has not happened since it is counted."""


class AccountCounts(msgspec.Struct, gc=False):
    """Of a customer's account. What is None has counted nothing yet; see `book/features/seen.py` for bytes.

    out, into: what left it and what reached it.   declined: by rules.   failed: payments that came back.
    last_out_ms, last_in_ms: when something left and reached it last.   moments: of the amounts that left it.
    payees, devices: those that it paid, and with which it paid.   recent: its newest payments.
    channels, corridors: by which it paid, packed digests.   payee_countries, countries: to which and from
    which it paid, two letters each.   country, country_ms: from which it paid last, and when.
    """

    out: Turnover | None = None
    into: Turnover | None = None
    last_out_ms: int = NEVER
    last_in_ms: int = NEVER
    moments: Moments | None = None
    payees: bytes = b""
    recent: bytes = b""
    devices: bytes = b""
    channels: bytes = b""
    corridors: bytes = b""
    payee_countries: bytes = b""
    countries: bytes = b""
    country: str = ""
    country_ms: int = NEVER
    declined: Turnover | None = None
    failed: Turnover | None = None


class PartyCounts(msgspec.Struct, gc=False):
    """Of all accounts of a party in one currency. others: of those in other currencies, nearly always None.

    out: what left them, to whomever.
    """

    currency: str
    out: Turnover | None = None
    others: dict[str, PartyCounts] | None = None


class BookCounts(msgspec.Struct):
    """Of the whole book. payers: who has paid a payee.   device_parties: who has paid with a device."""

    payers: Sharing = msgspec.field(default_factory=Sharing)
    device_parties: Sharing = msgspec.field(default_factory=Sharing)


class Keeping(msgspec.Struct, frozen=True, gc=False):
    """Which counters are kept.

    since: book time from which each is, by the names that `Feature.keeps` uses.
    out, into, party_out, declined, failed: the bits of their windows.   pays, asks: whether anything is kept
    about payees, and about how and from where movements are asked for.   The rest: whether that is.
    """

    since: dict[str, int]
    out: int = 0
    into: int = 0
    party_out: int = 0
    declined: int = 0
    failed: int = 0
    pays: bool = False
    asks: bool = False
    last: bool = False
    moments: bool = False
    payees: bool = False
    recent: bool = False
    payers: bool = False
    devices: bool = False
    channels: bool = False
    corridors: bool = False
    payee_countries: bool = False
    countries: bool = False
    country: bool = False
    device_parties: bool = False

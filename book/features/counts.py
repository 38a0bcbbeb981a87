"""What is kept for the features of an account and a party: plain state that knows nothing of the book."""

from __future__ import annotations

import msgspec

from book.features.moments import Moments
from book.features.seen import Known, Recent, Sharing
from book.features.windows import Window

NEVER = -1
"""In place of a time: it has not happened since it is counted."""


class AccountCounts(msgspec.Struct, gc=False):
    """Of a customer's account. What is None has counted nothing yet.

    out_…, in_…: what left it and what reached it.   declined_24h: what rules declined.   failed_30d: payments
    that came back.   last_out_ms, last_in_ms: when something left and reached it last.
    payees, devices: those that it paid, and with which it paid.   recent: its newest payments.
    moments: of the amounts that left it.   channels, corridors: by which it paid, packed digests.
    payee_countries, countries: to which and from which it paid, two letters each.
    country, country_ms: from which it paid last, and when.
    """

    out_1h: Window | None = None
    out_24h: Window | None = None
    out_7d: Window | None = None
    out_30d: Window | None = None
    in_24h: Window | None = None
    in_7d: Window | None = None
    declined_24h: Window | None = None
    failed_30d: Window | None = None
    last_out_ms: int = NEVER
    last_in_ms: int = NEVER
    payees: Known | None = None
    devices: Known | None = None
    recent: Recent | None = None
    moments: Moments | None = None
    channels: bytes = b""
    corridors: bytes = b""
    payee_countries: bytes = b""
    countries: bytes = b""
    country: str = ""
    country_ms: int = NEVER


class PartyCounts(msgspec.Struct, gc=False):
    """Of all accounts of a party in one currency. others: of those in other currencies, nearly always None.

    out_…: what left them, to whomever.
    """

    currency: str
    out_24h: Window | None = None
    out_7d: Window | None = None
    others: dict[str, PartyCounts] | None = None


class BookCounts(msgspec.Struct):
    """Of the whole book. payers: who has paid a payee.   device_parties: who has paid with a device."""

    payers: Sharing = msgspec.field(default_factory=Sharing)
    device_parties: Sharing = msgspec.field(default_factory=Sharing)


class Keeping(msgspec.Struct, frozen=True, gc=False):
    """Which counters are kept, by the names that `Feature.keeps` uses.

    since: book time from which each is, by name.   pays: whether anything about payees is.   asks: whether
    anything is about how and from where movements are asked for.
    """

    since: dict[str, int]
    pays: bool = False
    asks: bool = False
    out_1h: bool = False
    out_24h: bool = False
    out_7d: bool = False
    out_30d: bool = False
    in_24h: bool = False
    in_7d: bool = False
    party_out_24h: bool = False
    party_out_7d: bool = False
    last: bool = False
    declined_24h: bool = False
    failed_30d: bool = False
    payees: bool = False
    devices: bool = False
    recent: bool = False
    moments: bool = False
    channels: bool = False
    corridors: bool = False
    payee_countries: bool = False
    countries: bool = False
    country: bool = False
    payers: bool = False
    device_parties: bool = False

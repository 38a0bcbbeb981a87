"""What `evolve` counts when money moves. It costs nothing but a glance where no rule asks for anything."""

from __future__ import annotations

import msgspec

from book.features.counts import AccountCounts, Keeping, PartyCounts
from book.features.moments import Moments
from book.features.seen import Known, Recent, digest, newest, payee_digest
from book.features.windows import DAY, DAY_MS, HOUR, HOUR_MS, MONTH, WEEK, Window
from book.state import Account, Book
from schemas.features import (
    MOST_CHANNELS,
    MOST_CORRIDORS,
    MOST_COUNTRIES,
    MOST_DEVICES,
    MOST_PAYEES,
    MOST_RECENT,
    MOST_SHARING,
)
from schemas.rejections import CommandRejected
from schemas.risk import Declined, Origin

TURN_MS = 7 * DAY_MS
"""What was shared is forgotten in turns of so long: it stays for one to two of them."""
_declined = msgspec.json.Decoder(Declined)


def paid(
    book: Book,
    keeping: Keeping,
    account_id: str,
    amount: int,
    at_ms: int,
    payee: str,
    channel: str = "",
    corridor: str = "",
    origin: Origin | None = None,
) -> None:
    """Money is asked to leave a customer's account; whatever becomes of it, it counts."""
    account = book.accounts[account_id]
    if account.kind != "customer":
        return
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    _out(keeping, counts, amount, at_ms)
    if keeping.party_out_24h or keeping.party_out_7d:
        _of_party(book, keeping, account, amount, at_ms)
    if payee and keeping.pays:
        _to(book, keeping, account, counts, amount, at_ms, payee)
    if keeping.asks:
        _by(keeping, counts, channel, corridor)
        if origin is not None:
            _from(book, keeping, account, counts, origin, at_ms)


def _out(keeping: Keeping, counts: AccountCounts, amount: int, at_ms: int) -> None:
    if keeping.out_1h:
        window = counts.out_1h
        if window is None:
            counts.out_1h = window = Window()
        window.add(at_ms // HOUR.width_ms, HOUR.slices, amount)
    if keeping.out_24h:
        window = counts.out_24h
        if window is None:
            counts.out_24h = window = Window()
        window.add(at_ms // HOUR_MS, DAY.slices, amount)
    if keeping.out_7d:
        window = counts.out_7d
        if window is None:
            counts.out_7d = window = Window()
        window.add(at_ms // DAY_MS, WEEK.slices, amount)
    if keeping.out_30d:
        window = counts.out_30d
        if window is None:
            counts.out_30d = window = Window()
        window.add(at_ms // DAY_MS, MONTH.slices, amount)
    if keeping.moments:
        moments = counts.moments
        if moments is None:
            counts.moments = moments = Moments()
        moments.add(amount)
    if keeping.last:
        counts.last_out_ms = at_ms


def _of_party(book: Book, keeping: Keeping, account: Account, amount: int, at_ms: int) -> None:
    party = book.parties[account.party]
    counts = party.counts
    if counts is None:
        party.counts = counts = PartyCounts(account.currency)
    if counts.currency != account.currency:
        if counts.others is None:
            counts.others = {}
        counts = counts.others.setdefault(account.currency, PartyCounts(account.currency))
    if keeping.party_out_24h:
        window = counts.out_24h
        if window is None:
            counts.out_24h = window = Window()
        window.add(at_ms // HOUR_MS, DAY.slices, amount)
    if keeping.party_out_7d:
        window = counts.out_7d
        if window is None:
            counts.out_7d = window = Window()
        window.add(at_ms // DAY_MS, WEEK.slices, amount)


def _to(
    book: Book,
    keeping: Keeping,
    account: Account,
    counts: AccountCounts,
    amount: int,
    at_ms: int,
    payee: str,
) -> None:
    key = payee_digest(payee)
    if keeping.payees:
        payees = counts.payees
        if payees is None:
            counts.payees = payees = Known()
        payees.see(key, at_ms, MOST_PAYEES)
    if keeping.recent:
        recent = counts.recent
        if recent is None:
            counts.recent = recent = Recent()
        recent.add(key, amount, at_ms, MOST_RECENT)
    if keeping.payers:
        book.counts.payers.see(key, digest(account.party), at_ms, TURN_MS, MOST_SHARING)


def _by(keeping: Keeping, counts: AccountCounts, channel: str, corridor: str) -> None:
    if channel and keeping.channels:
        counts.channels = newest(counts.channels, digest(channel), MOST_CHANNELS)
    if corridor:
        if keeping.corridors:
            counts.corridors = newest(counts.corridors, digest(corridor), MOST_CORRIDORS)
        if keeping.payee_countries:
            country = corridor.rpartition("-")[2].encode()
            if len(country) == 2:
                counts.payee_countries = newest(counts.payee_countries, country, MOST_COUNTRIES)


def _from(
    book: Book, keeping: Keeping, account: Account, counts: AccountCounts, origin: Origin, at_ms: int
) -> None:
    if origin.country:
        if keeping.countries:
            counts.countries = newest(counts.countries, origin.country.encode(), MOST_COUNTRIES)
        if keeping.country:
            counts.country, counts.country_ms = origin.country, at_ms
    if origin.device:
        key = digest(origin.device)
        if keeping.devices:
            devices = counts.devices
            if devices is None:
                counts.devices = devices = Known()
            devices.see(key, at_ms, MOST_DEVICES)
        if keeping.device_parties:
            book.counts.device_parties.see(key, digest(account.party), at_ms, TURN_MS, MOST_SHARING)


def received(book: Book, keeping: Keeping, account_id: str, amount: int, at_ms: int) -> None:
    """Money has reached a customer's account."""
    account = book.accounts[account_id]
    if account.kind != "customer":
        return
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    if keeping.in_24h:
        window = counts.in_24h
        if window is None:
            counts.in_24h = window = Window()
        window.add(at_ms // HOUR_MS, DAY.slices, amount)
    if keeping.in_7d:
        window = counts.in_7d
        if window is None:
            counts.in_7d = window = Window()
        window.add(at_ms // DAY_MS, WEEK.slices, amount)
    if keeping.last:
        counts.last_in_ms = at_ms


def came_back(book: Book, account_id: str, amount: int, at_ms: int) -> None:
    """A payment has failed, or it or a part of it was returned without being asked for."""
    keeping = book.in_force.keeping
    if keeping is None or not keeping.failed_30d:
        return
    account = book.accounts[account_id]
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    window = counts.failed_30d
    if window is None:
        counts.failed_30d = window = Window()
    window.add(at_ms // DAY_MS, MONTH.slices, amount)


def declined(book: Book, event: CommandRejected) -> None:
    """Rules have declined a movement."""
    keeping = book.in_force.keeping
    if keeping is None or not keeping.declined_24h:
        return
    what = _declined.decode(event.restricted)
    account = book.accounts[what.account]
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    window = counts.declined_24h
    if window is None:
        counts.declined_24h = window = Window()
    window.add(event.at // HOUR_MS, DAY.slices, what.amount)

"""What `evolve` counts when money moves. It costs nothing but a glance where no rule asks for anything."""

from __future__ import annotations

import msgspec

from book.features.counts import AccountCounts, Keeping, PartyCounts
from book.features.moments import Moments
from book.features.seen import digest, newest, noted, paid, payee_digest, used
from book.features.turnover import DAY_MS, Turnover
from book.state import Account, Book
from schemas.approvals import ApprovalFailed
from schemas.bulk import InstructionRefused
from schemas.features import MOST_CHANNELS, MOST_CORRIDORS, MOST_COUNTRIES, MOST_SHARING
from schemas.orders import StandingOrderMissed, StandingOrderSkipped
from schemas.rejections import CommandRejected
from schemas.risk import Declined, Origin

TURN_MS = 7 * DAY_MS
"""What was shared is forgotten in turns of so long: it stays for one to two of them."""
_declined = msgspec.json.Decoder(Declined)


def moved_out(  # noqa: C901, PLR0912 - every movement pays for it, so it is written out
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
    if keeping.out:
        out = counts.out
        if out is None:
            counts.out = out = Turnover()
        out.add(at_ms, amount, keeping.out)
    if keeping.moments:
        moments = counts.moments
        if moments is None:
            counts.moments = moments = Moments()
        moments.add(amount)
    if keeping.last:
        counts.last_out_ms = at_ms
    if keeping.party_out:
        _of_party(book, keeping, account, amount, at_ms)
    if keeping.pays and payee:
        key = payee_digest(payee)
        if keeping.payees:
            counts.payees = paid(counts.payees, key, at_ms)
        if keeping.recent:
            counts.recent = noted(counts.recent, key, amount, at_ms)
        if keeping.payers:
            book.counts.payers.see(key, digest(account.party), at_ms, TURN_MS, MOST_SHARING)
    if keeping.asks:
        _by(keeping, counts, channel, corridor)
        if origin is not None:
            _from(book, keeping, account, counts, origin, at_ms)


def _of_party(book: Book, keeping: Keeping, account: Account, amount: int, at_ms: int) -> None:
    party = book.parties[account.party]
    counts = party.counts
    if counts is None:
        party.counts = counts = PartyCounts(account.currency)
    if counts.currency != account.currency:
        if counts.others is None:
            counts.others = {}
        counts = counts.others.setdefault(account.currency, PartyCounts(account.currency))
    out = counts.out
    if out is None:
        counts.out = out = Turnover()
    out.add(at_ms, amount, keeping.party_out)


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
            counts.devices = used(counts.devices, key, at_ms)
        if keeping.device_parties:
            book.counts.device_parties.see(key, digest(account.party), at_ms, TURN_MS, MOST_SHARING)


def moved_in(book: Book, keeping: Keeping, account_id: str, amount: int, at_ms: int) -> None:
    """Money has reached a customer's account."""
    account = book.accounts[account_id]
    if account.kind != "customer" or not (keeping.into or keeping.last):
        return
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    if keeping.into:
        into = counts.into
        if into is None:
            counts.into = into = Turnover()
        into.add(at_ms, amount, keeping.into)
    if keeping.last:
        counts.last_in_ms = at_ms


def came_back(book: Book, account_id: str, amount: int, at_ms: int) -> None:
    """A payment has failed, or it or a part of it was returned without being asked for."""
    keeping = book.in_force.keeping
    if keeping is None or not keeping.failed:
        return
    account = book.accounts[account_id]
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    failed = counts.failed
    if failed is None:
        counts.failed = failed = Turnover()
    failed.add(at_ms, amount, keeping.failed)


Refused = CommandRejected | InstructionRefused | ApprovalFailed | StandingOrderMissed | StandingOrderSkipped
"""Whatever says that a movement was refused, and by its reason, that rules have declined it."""


def declined(book: Book, event: Refused) -> None:
    """A movement was refused: it counts, where rules have declined it."""
    keeping = book.in_force.keeping
    if keeping is None or not keeping.declined:
        return
    if event.reason != "declined" and event.figures.get("refused") != "declined":
        return
    what = _declined.decode(event.restricted)
    account = book.accounts[what.account]
    counts = account.counts
    if counts is None:
        account.counts = counts = AccountCounts()
    turnover = counts.declined
    if turnover is None:
        counts.declined = turnover = Turnover()
    turnover.add(event.at, what.amount, keeping.declined)

"""Features that say how long ago something was: of an account, of its party, of what it did last."""

from __future__ import annotations

from book.dates import HOUR_MS
from book.features.counts import NEVER
from book.features.turnover import DAY_MS
from book.state import Book
from commands.features.reading import Read
from commands.movements import Movement
from schemas.features import NONE
from schemas.risk import Origin


def account_age(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    return (at_ms // HOUR_MS - movement.account.opened_hour) // 24


def party_age(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    party = book.parties.get(movement.account.party)
    return NONE if party is None else (at_ms // HOUR_MS - party.known_hour) // 24


def profile_change(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    party = book.parties.get(movement.account.party)
    if party is None or party.changed_hour == NEVER:
        return NONE
    return (at_ms // HOUR_MS - party.changed_hour) // 24


def since_last_out(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    return NONE if counts is None or counts.last_out_ms == NEVER else at_ms - counts.last_out_ms


def since_last_in(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    return NONE if counts is None or counts.last_in_ms == NEVER else at_ms - counts.last_in_ms


def dormant_days(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    keeping = book.in_force.keeping
    if keeping is None or "last" not in keeping.since:
        return NONE
    account = movement.account
    counts = account.counts
    since = max(keeping.since["last"], account.opened_hour * HOUR_MS)
    if counts is not None:
        since = max(since, counts.last_out_ms, counts.last_in_ms)
    return max(at_ms - since, 0) // DAY_MS


READ: dict[str, Read] = {
    "account_age_days": account_age,
    "party_age_days": party_age,
    "profile_change_days": profile_change,
    "since_last_out_ms": since_last_out,
    "since_last_in_ms": since_last_in,
    "dormant_days": dormant_days,
}

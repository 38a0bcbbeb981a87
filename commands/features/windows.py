"""Features that count movements in rolling windows, of an account and of a party."""

from __future__ import annotations

from book.features.counts import AccountCounts, PartyCounts
from book.features.keeping import PARTY_WINDOWS, WINDOWS
from book.features.turnover import DAY, MONTH, Turnover
from book.state import Book
from commands.features.reading import Read
from commands.movements import Movement
from schemas.features import NONE
from schemas.fields import INT64_MAX
from schemas.risk import Origin


def _out_count(counter: str) -> Read:
    field, _, parts, slices = WINDOWS[counter][1]

    def out_count(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        if counts is None or (out := counts.out) is None:
            return 1
        return out.count_in(getattr(out, field), parts, slices, at_ms) + 1

    return out_count


def _out_sum(counter: str) -> Read:
    field, _, parts, slices = WINDOWS[counter][1]

    def out_sum(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        if counts is None or (out := counts.out) is None:
            return movement.amount
        found = out.total_in(getattr(out, field), parts, slices, at_ms) + movement.amount
        return found if found <= INT64_MAX else INT64_MAX  # noqa: FURB136 - min() would take a fifth of all this

    return out_sum


def _in_count(counter: str) -> Read:
    field, _, parts, slices = WINDOWS[counter][1]

    def in_count(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        if counts is None or (into := counts.into) is None:
            return 0
        return into.count_in(getattr(into, field), parts, slices, at_ms)

    return in_count


def _in_sum(counter: str) -> Read:
    field, _, parts, slices = WINDOWS[counter][1]

    def in_sum(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        if counts is None or (into := counts.into) is None:
            return 0
        return into.total_in(getattr(into, field), parts, slices, at_ms)

    return in_sum


def _party_counts(book: Book, movement: Movement) -> PartyCounts | None:
    party = book.parties.get(movement.account.party)
    return None if party is None else party.counts


def _party_out_count(counter: str) -> Read:
    field, _, parts, slices = PARTY_WINDOWS[counter][1]

    def party_out_count(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = _party_counts(book, movement)
        if counts is None:
            return 1
        found = 1
        for one in (counts,) if counts.others is None else (counts, *counts.others.values()):
            if (out := one.out) is not None:
                found += out.count_in(getattr(out, field), parts, slices, at_ms)
        return found

    return party_out_count


def _party_out_sum(counter: str) -> Read:
    field, _, parts, slices = PARTY_WINDOWS[counter][1]

    def party_out_sum(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = _party_counts(book, movement)
        if counts is not None and counts.currency != movement.currency:
            counts = (counts.others or {}).get(movement.currency)
        if counts is None or (out := counts.out) is None:
            return movement.amount
        found = out.total_in(getattr(out, field), parts, slices, at_ms) + movement.amount
        return found if found <= INT64_MAX else INT64_MAX  # noqa: FURB136 - min() would take a fifth of all this

    return party_out_sum


def passed_on(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    came = _in_a_day(None if counts is None else counts.into, at_ms)
    if not came:
        return NONE
    left = _in_a_day(None if counts is None else counts.out, at_ms)
    return min((left + movement.amount) * 1_000 // came, INT64_MAX)


def _in_a_day(turnover: Turnover | None, at_ms: int) -> int:
    return 0 if turnover is None else turnover.total_in(turnover.marks_24h, DAY.parts, DAY.slices, at_ms)


def declined(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts: AccountCounts | None = movement.account.counts
    if counts is None or counts.declined is None:
        return 0
    return counts.declined.count_in(counts.declined.marks_24h, DAY.parts, DAY.slices, at_ms)


def failed(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    if counts is None or counts.failed is None:
        return 0
    return counts.failed.count_in(counts.failed.marks_30d, MONTH.parts, MONTH.slices, at_ms)


READ: dict[str, Read] = {
    "out_count_1h": _out_count("out_1h"),
    "out_sum_1h": _out_sum("out_1h"),
    "out_count_24h": _out_count("out_24h"),
    "out_sum_24h": _out_sum("out_24h"),
    "out_count_7d": _out_count("out_7d"),
    "out_sum_7d": _out_sum("out_7d"),
    "out_count_30d": _out_count("out_30d"),
    "out_sum_30d": _out_sum("out_30d"),
    "in_count_24h": _in_count("in_24h"),
    "in_sum_24h": _in_sum("in_24h"),
    "in_count_7d": _in_count("in_7d"),
    "in_sum_7d": _in_sum("in_7d"),
    "party_out_count_24h": _party_out_count("party_out_24h"),
    "party_out_sum_24h": _party_out_sum("party_out_24h"),
    "party_out_count_7d": _party_out_count("party_out_7d"),
    "party_out_sum_7d": _party_out_sum("party_out_7d"),
    "passed_on_24h": passed_on,
    "declined_24h": declined,
    "failed_30d": failed,
}

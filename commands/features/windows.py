"""Features that count movements in rolling windows, of an account and of a party."""

from __future__ import annotations

from book.features.counts import AccountCounts, PartyCounts
from book.features.windows import DAY, HOUR, MONTH, WEEK, Span, Window
from book.state import Book
from commands.features.reading import Read
from commands.movements import Movement
from schemas.features import NONE
from schemas.fields import INT64_MAX
from schemas.risk import Origin


def _out_count(field: str, span: Span) -> Read:
    width_ms, slices = span

    def out_count(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        window: Window | None = None if counts is None else getattr(counts, field)
        return 1 if window is None else window.count_from(at_ms // width_ms - slices) + 1

    return out_count


def _out_sum(field: str, span: Span) -> Read:
    width_ms, slices = span

    def out_sum(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        window: Window | None = None if counts is None else getattr(counts, field)
        if window is None:
            return movement.amount
        return min(window.total_from(at_ms // width_ms - slices) + movement.amount, INT64_MAX)

    return out_sum


def _in_count(field: str, span: Span) -> Read:
    width_ms, slices = span

    def in_count(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        window: Window | None = None if counts is None else getattr(counts, field)
        return 0 if window is None else window.count_from(at_ms // width_ms - slices)

    return in_count


def _in_sum(field: str, span: Span) -> Read:
    width_ms, slices = span

    def in_sum(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = movement.account.counts
        window: Window | None = None if counts is None else getattr(counts, field)
        return 0 if window is None else window.total_from(at_ms // width_ms - slices)

    return in_sum


def _party_counts(book: Book, movement: Movement) -> PartyCounts | None:
    party = book.parties.get(movement.account.party)
    return None if party is None else party.counts


def _party_out_count(field: str, span: Span) -> Read:
    width_ms, slices = span

    def party_out_count(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = _party_counts(book, movement)
        if counts is None:
            return 1
        first = at_ms // width_ms - slices
        found = 1
        for one in (counts, *(counts.others or {}).values()):
            window: Window | None = getattr(one, field)
            if window is not None:
                found += window.count_from(first)
        return found

    return party_out_count


def _party_out_sum(field: str, span: Span) -> Read:
    width_ms, slices = span

    def party_out_sum(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        counts = _party_counts(book, movement)
        if counts is not None and counts.currency != movement.currency:
            counts = (counts.others or {}).get(movement.currency)
        window: Window | None = None if counts is None else getattr(counts, field)
        if window is None:
            return movement.amount
        return min(window.total_from(at_ms // width_ms - slices) + movement.amount, INT64_MAX)

    return party_out_sum


def declined(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    window = None if counts is None else counts.declined_24h
    return 0 if window is None else window.count_from(at_ms // DAY.width_ms - DAY.slices)


def failed(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    window = None if counts is None else counts.failed_30d
    return 0 if window is None else window.count_from(at_ms // MONTH.width_ms - MONTH.slices)


def passed_on(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    came = _day_total(counts, "in_24h", at_ms)
    if not came:
        return NONE
    return min((_day_total(counts, "out_24h", at_ms) + movement.amount) * 1_000 // came, INT64_MAX)


def _day_total(counts: AccountCounts | None, field: str, at_ms: int) -> int:
    window: Window | None = None if counts is None else getattr(counts, field)
    return 0 if window is None else window.total_from(at_ms // DAY.width_ms - DAY.slices)


READ: dict[str, Read] = {
    "out_count_1h": _out_count("out_1h", HOUR),
    "out_sum_1h": _out_sum("out_1h", HOUR),
    "out_count_24h": _out_count("out_24h", DAY),
    "out_sum_24h": _out_sum("out_24h", DAY),
    "out_count_7d": _out_count("out_7d", WEEK),
    "out_sum_7d": _out_sum("out_7d", WEEK),
    "out_count_30d": _out_count("out_30d", MONTH),
    "out_sum_30d": _out_sum("out_30d", MONTH),
    "in_count_24h": _in_count("in_24h", DAY),
    "in_sum_24h": _in_sum("in_24h", DAY),
    "in_count_7d": _in_count("in_7d", WEEK),
    "in_sum_7d": _in_sum("in_7d", WEEK),
    "party_out_count_24h": _party_out_count("out_24h", DAY),
    "party_out_sum_24h": _party_out_sum("out_24h", DAY),
    "party_out_count_7d": _party_out_count("out_7d", WEEK),
    "party_out_sum_7d": _party_out_sum("out_7d", WEEK),
    "passed_on_24h": passed_on,
    "declined_24h": declined,
    "failed_30d": failed,
}

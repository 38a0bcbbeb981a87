"""Features of who is paid: how many, since when, how often, by whom else; and of an account's own amounts."""

from __future__ import annotations

from math import isqrt

from book.features.seen import (
    MINUTE_MS,
    digest,
    of_amount,
    paid_first,
    paid_from,
    payee_digest,
)
from book.features.seen import to_payee as paid_to
from book.state import Book
from commands.features.reading import Read
from commands.movements import Movement
from schemas.features import MOST_PAYEES, MOST_SHARING, NONE
from schemas.fields import INT64_MAX
from schemas.risk import Origin

DAY_MINUTES = 24 * 60


def _distinct(days: int) -> Read:
    def distinct(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        payee = movement.counterparty
        counts = movement.account.counts
        if counts is None:
            return 1 if payee else 0
        minute = at_ms // MINUTE_MS - days * DAY_MINUTES
        seen, among = paid_from(counts.payees, minute, payee_digest(payee))
        return seen if among or not payee else min(seen + 1, MOST_PAYEES)

    return distinct


def new_payee(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if not movement.counterparty:
        return NONE
    return 1 if _first_minute(movement) < 0 else 0


def payee_known(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    first = _first_minute(movement)
    return NONE if first < 0 else (at_ms // MINUTE_MS - first) // DAY_MINUTES


def _first_minute(movement: Movement) -> int:
    counts = movement.account.counts
    return NONE if counts is None else paid_first(counts.payees, payee_digest(movement.counterparty))


def _to_payee(days: int) -> Read:
    def to_payee(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
        payee = movement.counterparty
        if not payee:
            return NONE
        counts = movement.account.counts
        if counts is None:
            return 1
        return paid_to(counts.recent, payee_digest(payee), at_ms // MINUTE_MS - days * DAY_MINUTES) + 1

    return to_payee


def payers(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    payee = movement.counterparty
    if not payee:
        return NONE
    others = book.counts.payers.others_from(
        payee_digest(payee), digest(movement.account.party), at_ms // MINUTE_MS - 7 * DAY_MINUTES
    )
    return min(others + 1, MOST_SHARING)


def same_amount(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    if counts is None:
        return 1
    return of_amount(counts.recent, movement.amount, at_ms // MINUTE_MS - DAY_MINUTES) + 1


def payments_seen(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    return 0 if counts is None or counts.moments is None else counts.moments.count


def amount_to_mean(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    counts = movement.account.counts
    moments = None if counts is None else counts.moments
    if moments is None:
        return NONE
    total, _ = moments.sums()
    return min(movement.amount * 1_000 * moments.count // total, INT64_MAX) if total else NONE


def amount_deviation(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    """(x - mean) / sigma = (n x - sum) / sqrt(n squares - sum^2), all of it exact until the root."""
    counts = movement.account.counts
    moments = None if counts is None else counts.moments
    if moments is None:
        return NONE
    total, squares = moments.sums()
    spread = moments.count * squares - total * total
    if not spread:
        return NONE
    above = moments.count * movement.amount - total
    return min(isqrt(above * above * 1_000_000 // spread), INT64_MAX) if above > 0 else 0


READ: dict[str, Read] = {
    "distinct_payees_24h": _distinct(1),
    "distinct_payees_7d": _distinct(7),
    "distinct_payees_30d": _distinct(30),
    "new_payee": new_payee,
    "payee_known_days": payee_known,
    "to_payee_count_24h": _to_payee(1),
    "to_payee_count_30d": _to_payee(30),
    "payee_payers_7d": payers,
    "same_amount_24h": same_amount,
    "payments_seen": payments_seen,
    "amount_to_mean": amount_to_mean,
    "amount_deviation": amount_deviation,
}

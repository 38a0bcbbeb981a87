"""Features of where and how a movement is asked for: device, country, channel, corridor."""

from __future__ import annotations

from book.features.seen import MINUTE_MS, digest, stands, used_first
from book.state import Book
from commands.distances import km_between
from commands.features.payees import DAY_MINUTES
from commands.features.reading import Read
from commands.movements import Movement
from schemas.features import MOST_SHARING, NONE
from schemas.risk import Origin

HOUR_MS = 3_600_000


def new_channel(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if not movement.channel:
        return NONE
    counts = movement.account.counts
    return 1 if counts is None or not stands(counts.channels, digest(movement.channel)) else 0


def new_corridor(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if not movement.corridor:
        return NONE
    counts = movement.account.counts
    return 1 if counts is None or not stands(counts.corridors, digest(movement.corridor)) else 0


def new_payee_country(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    country = movement.corridor.rpartition("-")[2].encode()
    if len(country) != 2:
        return NONE
    counts = movement.account.counts
    return 1 if counts is None or not stands(counts.payee_countries, country) else 0


def new_country(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if origin is None or not origin.country:
        return NONE
    counts = movement.account.counts
    return 1 if counts is None or not stands(counts.countries, origin.country.encode()) else 0


def country_speed(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    """What is less than a minute ago is a minute ago."""
    counts = movement.account.counts
    if origin is None or not origin.country or counts is None or not counts.country:
        return NONE
    km = km_between(counts.country, origin.country)
    return NONE if km is None else km * HOUR_MS // max(at_ms - counts.country_ms, MINUTE_MS)


def _first_minute(movement: Movement, origin: Origin) -> int:
    counts = movement.account.counts
    return NONE if counts is None else used_first(counts.devices, digest(origin.device))


def new_device(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if origin is None or not origin.device:
        return NONE
    return 1 if _first_minute(movement, origin) < 0 else 0


def device_age(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if origin is None or not origin.device:
        return NONE
    first = _first_minute(movement, origin)
    return 0 if first < 0 else (at_ms // MINUTE_MS - first) // DAY_MINUTES


def device_parties(book: Book, movement: Movement, origin: Origin | None, at_ms: int) -> int:
    if origin is None or not origin.device:
        return NONE
    others = book.counts.device_parties.others_from(
        digest(origin.device), digest(movement.account.party), at_ms // MINUTE_MS - 7 * DAY_MINUTES
    )
    return min(others + 1, MOST_SHARING)


READ: dict[str, Read] = {
    "new_channel": new_channel,
    "new_corridor": new_corridor,
    "new_payee_country": new_payee_country,
    "new_country": new_country,
    "country_speed": country_speed,
    "new_device": new_device,
    "device_age_days": device_age,
    "device_parties_7d": device_parties,
}

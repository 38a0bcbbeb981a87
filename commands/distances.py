"""How far countries are from each other, in whole numbers only, so that every machine finds the same."""

from __future__ import annotations

import functools
from math import isqrt

from schemas.countries import MIDDLES

EARTH_KM = 6_371
"""The mean radius."""
_ONE = 10**12
_PI = 3_141_592_653_590
_ROOT_HALF = 707_106_781_187


@functools.lru_cache(maxsize=4_096)
def km_between(one: str, other: str) -> int | None:
    """Kilometres along the surface between the middles of two countries; None where one is not known.

    From the chord c between the two points on the unit sphere, the angle is 2 asin(c / 2).
    """
    here, there = MIDDLES.get(one), MIDDLES.get(other)
    if here is None or there is None:
        return None
    chord = isqrt(sum((a - b) ** 2 for a, b in zip(_point(*here), _point(*there), strict=True)))
    return (2 * EARTH_KM * _asin(min(chord // 2, _ONE)) + _ONE // 2) // _ONE


def _point(north_tenths: int, east_tenths: int) -> tuple[int, int, int]:
    north, east = north_tenths * _PI // 1_800, east_tenths * _PI // 1_800
    flat = _cos(north)
    return flat * _cos(east) // _ONE, flat * _sin(east) // _ONE, _sin(north)


def _sin(angle: int) -> int:
    """By its series, which for angles up to pi ends after a dozen terms."""
    size = abs(angle)
    term = total = size
    step = 1
    while term:
        term = term * size // _ONE * size // _ONE // ((step + 1) * (step + 2))
        total += term if step % 4 == 3 else -term
        step += 2
    return total if angle >= 0 else -total


def _cos(angle: int) -> int:
    return _sin(_PI // 2 - abs(angle))


def _asin(share: int) -> int:
    """Of 0 to 1. Past the root of a half the series is slow, and its complement's is taken."""
    if share > _ROOT_HALF:
        return _PI // 2 - _asin(isqrt(_ONE * _ONE - share * share))
    square = share * share // _ONE
    term = total = share
    step = 1
    while term:
        term = term * square // _ONE * step * step // ((step + 1) * (step + 2))
        total += term
        step += 2
    return total

"""How sure a measured share is: Wilson's interval, and the bootstrap over parties with a seed.

Both at 95 %. Sources: E. Wilson, Probable Inference (1927); B. Efron, Bootstrap Methods (1979), percentiles.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

Z = 1.959964
RESAMPLES = 1_000


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The interval of a share."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    middle = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z / (1 + Z * Z / of) * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_rate(counts: Sequence[int], seed: int, scale: float) -> tuple[float, float]:
    """The interval of the mean of the counts, times `scale`, over parties drawn again and again.

    Only counts matter, so that a draw is one of how often each count comes: a multinomial, one at a time.
    """
    chance = random.Random(seed)
    above = [count for count in counts if count]
    n = len(counts)
    if not above:
        return 0.0, scale * 3 / n if n else 0.0  # the rule of three
    share = len(above) / n
    means = []
    for _ in range(RESAMPLES):
        drawn = _binomial(chance, n, share)
        means.append(sum(chance.choices(above, k=drawn)) * scale / n)
    means.sort()
    return means[int(RESAMPLES * 0.025)], means[int(RESAMPLES * 0.975)]


def _binomial(chance: random.Random, n: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(n))

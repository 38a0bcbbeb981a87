"""How good a score is where few are guilty: precision, recall, average precision, and what is learned of a
set.

Average precision is the area under the curve of precision and recall without interpolation; accounts of the
same score are one step of it, so that the order of ties says nothing. Source: K. Boyd et al., Area under the
Precision- Recall Curve (2013).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

import msgspec

Case = tuple[float, bool]
"""A score, and whether it is guilty."""


class Cut(msgspec.Struct, frozen=True):
    """What a threshold gives. flagged: how many are at it or above."""

    threshold: float
    flagged: int
    precision: float
    recall: float
    f1: float


def steps(cases: Iterable[Case]) -> Iterable[tuple[float, int, int]]:
    """By score, the highest first: the score, how many have it, and how many of them are guilty."""
    for score, tied in groupby(sorted(cases, reverse=True), key=lambda case: case[0]):
        guilty = [case[1] for case in tied]
        yield score, len(guilty), sum(guilty)


def average_precision(cases: Sequence[Case]) -> float:
    """The area. 0 where nobody is guilty."""
    guilty = sum(case[1] for case in cases)
    area, seen, hits = 0.0, 0, 0
    for _, count, found in steps(cases):
        seen += count
        hits += found
        area += found * hits / seen
    return area / guilty if guilty else 0.0


OFTEN = (0,) * 368 + (1,) * 368 + (2,) * 184 + (3,) * 61 + (4,) * 15 + (5,) * 3 + (6,)
"""How often a case is drawn into a sample, by per mille: Poisson's, which draws from large sets come to."""


def interval(cases: Sequence[Case], seed: int, resamples: int) -> tuple[float, float]:
    """The 95 % interval of the average precision: a bootstrap over the cases, percentiles.

    Source: J. Hanley and B. MacGibbon, Creating Non-Parametric Bootstrap Samples Using Poisson Frequencies
    (2006).
    """
    chance = random.Random(seed)
    ordered = sorted(cases, reverse=True)
    ends = [one[0] != other[0] for one, other in pairwise(ordered)] + [True]
    guilty = [case[1] for case in ordered]
    areas = sorted(_area(chance.choices(OFTEN, k=len(ordered)), guilty, ends) for _ in range(resamples))
    return areas[int(resamples * 0.025)], areas[min(resamples - 1, int(resamples * 0.975))]


def _area(often: Sequence[int], guilty: Sequence[bool], ends: Sequence[bool]) -> float:
    area, seen, hits, found = 0.0, 0, 0, 0
    for count, is_guilty, is_end in zip(often, guilty, ends, strict=True):
        seen += count
        if is_guilty:
            found += count
        if is_end and found:
            hits += found
            area += found * hits / seen
            found = 0
    return area / hits if hits else 0.0


def of_the_first(cases: Sequence[Case], capacity: int) -> float:
    """How many of the first so many are guilty; where they end among equals, the share of these."""
    left, found = capacity, 0.0
    for _, count, guilty in steps(cases):
        found += guilty * min(1.0, left / count)
        left -= count
        if left <= 0:
            break
    return found


def cut(cases: Sequence[Case], threshold: float) -> Cut:
    """Precision and recall of those at the threshold or above."""
    guilty = sum(case[1] for case in cases)
    flagged = [case[1] for case in cases if case[0] >= threshold]
    hits = sum(flagged)
    precision = hits / len(flagged) if flagged else 0.0
    recall = hits / guilty if guilty else 0.0
    return Cut(
        threshold, len(flagged), precision, recall, 2 * hits / (len(flagged) + guilty) if hits else 0.0
    )


def best(cases: Sequence[Case]) -> float:
    """The threshold above zero evidence whose F1 is highest; the highest of several."""
    guilty = sum(case[1] for case in cases)
    found, threshold, seen, hits = 0.0, math.inf, 0, 0
    for score, count, of_them in steps(cases):
        seen += count
        hits += of_them
        if seen == len(cases):
            break  # everybody: that is no threshold
        f1 = 2 * hits / (seen + guilty)
        if f1 > found:
            found, threshold = f1, score
    return threshold


class Weights(msgspec.Struct, frozen=True):
    """By typology, the log-odds that it was noticed and that it was not: naive Bayes with Laplace's one."""

    noticed: dict[str, float]
    not_noticed: dict[str, float]

    def score(self, kinds: Iterable[str]) -> float:
        """Of an account about which these typologies have said something."""
        said = set(kinds)
        return sum(self.noticed[kind] if kind in said else self.not_noticed[kind] for kind in self.noticed)


def learned(said: Mapping[str, set[str]], guilty: Mapping[str, bool]) -> Weights:
    """Weights from a labelled set. said: by typology, the accounts that it has noticed."""
    total = sum(guilty.values())
    honest = len(guilty) - total
    noticed, not_noticed = {}, {}
    for kind in sorted(said):
        hits = sum(guilty[account] for account in said[kind])
        misses = len(said[kind]) - hits
        of_guilty, of_honest = (hits + 1) / (total + 2), (misses + 1) / (honest + 2)
        noticed[kind] = math.log(of_guilty / of_honest)
        not_noticed[kind] = math.log((1 - of_guilty) / (1 - of_honest))
    return Weights(noticed, not_noticed)

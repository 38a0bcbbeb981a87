"""What is looked for over all books, as a deployment sets it. A change of it is for all workers at once: two
that look for different things would say different things under the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from detection.across import Watching
from detection.hopping import Hopping
from engine.errors import WrongUse

_TIMES: Final = ("window_ms", "hop_ms", "late_ms", "stands_ms")
MOST_HOPS: Final = 96
"""Of a window and of what is waited for, together: each costs memory for every subject."""


def watching_of(told: Mapping[str, int]) -> Watching:
    """What is looked for, with what the setting says. Names are those of the flags and of the times below.

    window_ms, hop_ms, late_ms: see `Hopping`.   stands_ms: how long a flag outlives its window.
    Raises WrongUse.
    """
    standard = Watching()
    flags = [one.flag for one in standard.watches]
    unknown = sorted(told.keys() - {*flags, *_TIMES})
    if unknown:
        raise WrongUse(
            f"DAYBOOK_STREAM_WATCHING: there is no {', '.join(unknown)}.",
            f"It can say: {', '.join((*flags, *_TIMES))}.",
        )
    if any(value < 0 for value in told.values()):
        raise WrongUse("DAYBOOK_STREAM_WATCHING has a number below zero.", "0 looks for it no more.")
    times = Hopping()
    window_ms = told.get("window_ms", times.size_ms)
    hop_ms = told.get("hop_ms", times.hop_ms)
    late_ms = told.get("late_ms", times.late_ms)
    if hop_ms == 0 or window_ms == 0 or window_ms % hop_ms or (window_ms + late_ms) // hop_ms > MOST_HOPS:
        raise WrongUse(
            f"DAYBOOK_STREAM_WATCHING: a window of {window_ms} ms, hops of {hop_ms} ms and {late_ms} ms of "
            "waiting for what is late do not go together.",
            f"Hops divide the window, and window and waiting are {MOST_HOPS} hops at most.",
        )
    watches = tuple(
        msgspec.structs.replace(one, least=told.get(one.flag, one.least)) for one in standard.watches
    )
    return Watching(
        watches=tuple(one for one in watches if one.least > 0),
        hopping=Hopping(window_ms, hop_ms, late_ms),
        stands_ms=told.get("stands_ms", standard.stands_ms),
    )

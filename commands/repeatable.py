"""Which commands may come again after their ids are forgotten: the book tells from what they say whether it
was done, so they are never `too_old`.

They are derived from events, and whoever derives them may begin anew, years later, with the first event.
"""

from __future__ import annotations

from typing import Final

from schemas.flags import RaiseFlag
from schemas.message import Command
from schemas.reported import ReportAlerts

REPEATABLE: Final[frozenset[type[Command]]] = frozenset(
    {
        ReportAlerts,  # cases remember their alerts for ever
        # What has expired is refused, what was cleared is remembered until it would have expired, and what
        # stands keeps the later of both expiries and the score that was said last.
        RaiseFlag,
    }
)

"""A payment's life as whoever asked for the payment may be told: without what only risk staff may know."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from projections.answers import AuditRow
from projections.payment_queries import Timeline
from schemas.outcomes import FOR_STAFF
from schemas.withheld import TIMERS_WITHHELD, told, told_wait

_HIDDEN = frozenset(kind.__name__ for kind in FOR_STAFF)
_DROPPED = ("restricted", "person", "label", "level")
"""Fields of events about a payment that say who looked at it, and what was found."""


def told_life(life: Timeline) -> Timeline:
    """The same life, for who may not know that anybody is looked at."""
    row = life.payment
    waits_for, waits_by = told_wait(row.waits_for, row.waits_by)
    return replace(
        life,
        payment=replace(row, waits_for=waits_for, waits_by=waits_by, screening=""),
        events=[_told(one) for one in life.events if one.type not in _HIDDEN],
    )


def _told(row: AuditRow) -> AuditRow:
    event: dict[str, Any] = {name: value for name, value in row.event.items() if name not in _DROPPED}
    if row.type == "PaymentWaiting":
        event["reason"], event["by"] = told_wait(event["reason"], event["by"])
    elif row.type == "CommandRejected":
        event["reason"], event["figures"] = told(event["reason"], event.get("figures") or {})
    elif "screening" in event:
        del event["screening"]
    elif row.type == "PaymentsReleased":
        event["reason"], event["by"] = told_wait(event["reason"], event["by"])
    timer = row.timer
    if timer.partition("\n")[0] in TIMERS_WITHHELD:
        event["timer"] = timer = "payment"
    return replace(row, event=event, timer=timer)
